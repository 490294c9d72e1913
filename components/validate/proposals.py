"""A schema.pbtxt and what data hold → what the data would change in it.

Each `SchemaChange` knows the edit of the text that accepts it. Nothing is written here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf.text_encoding import CEscape

from components.validate.measured import Measured
from schemas import schema_text
from schemas.columns import parse_as_written
from schemas.schema_text import Edit, Field
from schemas.types import BYTES, FLOAT, INT

_LISTED = 8  # values in a line for a person


@dataclass(frozen=True)
class SchemaChange:
    """What new data would change in the description of one column.

    Attributes:
      column: the column.
      what: what would change, in a few words.
      written: what schema.pbtxt has.
      seen: what the data have.
      edits: what accepts it; none where a person has to decide more than that.
      by_name: whether it is accepted only where the column is named.
    """

    column: str
    what: str
    written: str
    seen: str
    edits: tuple[Edit, ...] = ()
    by_name: bool = False


def changes(
    text: str, splits: Sequence[Mapping[str, Measured]], *, where: str
) -> list[SchemaChange]:
    """Return what data would change in a schema, in the order of its columns.

    Args:
      text: the text of schema.pbtxt.
      splits: the columns of each split, each of which is checked alone.
      where: the path of schema.pbtxt, for errors.
    """
    schema, fields = parse_as_written(text, where=where), schema_text.fields_of(text)
    domains = {
        d.name: f for d, f in zip(schema.string_domain, fields.all("string_domain"), strict=True)
    }
    shared = {d.name: tuple(d.value) for d in schema.string_domain}
    found: list[SchemaChange] = []
    for feature, at in zip(schema.feature, fields.all("feature"), strict=True):
        known = [split[feature.name] for split in splits if feature.name in split]
        known = [each for each in known if each.rows]
        if not known:
            continue
        found += _presence(feature, at, known)
        found += _bounds(feature, at, known)
        domain = at.find("string_domain") or domains.get(feature.domain)
        if domain is not None:
            values = shared.get(feature.domain) or tuple(feature.string_domain.value)
            found += _values(feature, domain, values, known)
        found += _distinct(feature, at, known)
    return found


def new_column(
    text: str, name: str, kind: str, domain: Sequence[str], example: str
) -> SchemaChange:
    """Return the change that describes a column of the table that schema.pbtxt leaves out."""
    lines = ["feature {", f"  name: {_quoted(name)}", f"  type: {kind}"]
    lines += [*(f"  {line}" for line in domain), "}", ""]
    edit = schema_text.append_field(text, "\n".join(lines))
    seen = f"{kind}, such as {example}" if example else f"{kind}, without a value"
    return SchemaChange(name, "new column", "not described", seen, (edit,), by_name=True)


def wider_type(text: str, name: str, values: Sequence[str], *, where: str) -> SchemaChange | None:
    """Return the change of type that values need which an INT column rejected.

    None if the schema does not have the column as an INT.

    Args:
      text: the text of schema.pbtxt.
      name: the column.
      values: the rejected ones.
      where: the path of schema.pbtxt, for errors.
    """
    schema, fields = parse_as_written(text, where=where), schema_text.fields_of(text)
    pairs = zip(schema.feature, fields.all("feature"), strict=True)
    found = [(feature, at) for feature, at in pairs if feature.name == name]
    written = found[0][1].find("type") if found else None
    if written is None or text[written.at : written.end] != INT.name:
        return None
    feature, at = found[0]
    kind = FLOAT.name if all(map(_is_number, values)) else BYTES.name
    edits = [schema_text.set_value(written, kind)]
    bounds = at.find("int_domain")
    if bounds is not None:
        edits.append(Edit(bounds.start, bounds.start + len(bounds.name), "float_domain"))
    simple = kind == FLOAT.name and not feature.int_domain.is_categorical
    has_other = feature.WhichOneof("domain_info") not in (None, "int_domain")
    return SchemaChange(
        name,
        "another type",
        INT.name,
        f"{kind}: {len(values):,} rejected, such as {', '.join(map(repr, values[:3]))}",
        tuple(edits) if simple and not has_other else (),
        by_name=True,
    )


def _presence(feature: Any, at: Field, known: Sequence[Measured]) -> Iterator[SchemaChange]:
    least = min(each.present / each.rows for each in known)
    if (field := at.find("presence", "min_fraction")) and least < feature.presence.min_fraction:
        floor = math.floor(least * 10_000) / 10_000
        edit = schema_text.set_value(field, f"{floor:g}")
        written = f"{feature.presence.min_fraction:g} of rows"
        yield SchemaChange(feature.name, "presence.min_fraction", written, f"{least:.6g}", (edit,))
    count = min(each.present for each in known)
    if (field := at.find("presence", "min_count")) and count < feature.presence.min_count:
        edit = schema_text.set_value(field, str(count))
        written = f"{feature.presence.min_count:,} rows"
        yield SchemaChange(feature.name, "presence.min_count", written, f"{count:,}", (edit,))
    if (field := at.find("shape")) and least < 1:
        edit = schema_text.set_field(field, "value_count { min: 1 max: 1 }")
        yield SchemaChange(
            feature.name, "missing values", "in no row", f"in {1 - least:.4%} of rows", (edit,)
        )


def _bounds(feature: Any, at: Field, known: Sequence[Measured]) -> Iterator[SchemaChange]:
    for kind, as_written in (("int_domain", _integer), ("float_domain", _float)):
        low, high = at.find(kind, "min"), at.find(kind, "max")
        minima = [each.minimum for each in known if each.minimum is not None]
        maxima = [each.maximum for each in known if each.maximum is not None]
        domain = getattr(feature, kind)
        if low is not None and minima and min(minima) < domain.min:
            edit, seen = schema_text.set_value(low, as_written(min(minima))), min(minima)
            yield SchemaChange(
                feature.name, "min", as_written(domain.min), as_written(seen), (edit,)
            )
        if high is not None and maxima and max(maxima) > domain.max:
            edit, seen = schema_text.set_value(high, as_written(max(maxima))), max(maxima)
            yield SchemaChange(
                feature.name, "max", as_written(domain.max), as_written(seen), (edit,)
            )


def _values(
    feature: Any, domain: Field, values: Sequence[str], known: Sequence[Measured]
) -> Iterator[SchemaChange]:
    constraints, allowed = feature.distribution_constraints, set(values)
    mass = constraints.min_domain_mass if constraints.HasField("min_domain_mass") else 1.0
    strays: dict[str, int] = {}
    beyond = False
    for each in known:
        new = {value: n for value, n in each.values.items() if value not in allowed}
        beyond |= bool(new) and 1 - sum(new.values()) / each.total < mass
        for value, n in new.items():
            strays[value] = strays.get(value, 0) + n
    if not beyond:
        return
    by_count = sorted(strays.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = ", ".join(f"{value!r} {n:,}" for value, n in by_count[:_LISTED])
    more = f", … and {len(by_count) - _LISTED:,} more" if len(by_count) > _LISTED else ""
    edit = Edit(message=domain, values=tuple(_quoted(value) for value, _ in by_count))
    written = f"{len(allowed):,} value{'s' * (len(allowed) != 1)}"
    if mass < 1:
        written += f" in at least {mass:g} of the rows"
    yield SchemaChange(feature.name, "new values", written, shown + more, (edit,))


def _distinct(feature: Any, at: Field, known: Sequence[Measured]) -> Iterator[SchemaChange]:
    counts = [each.distinct for each in known if each.distinct is not None]
    limits = feature.unique_constraints
    low, high = at.find("unique_constraints", "min"), at.find("unique_constraints", "max")
    if low is None or high is None or not counts:
        return
    for what, field, limit, seen, wrong in (
        ("min", low, limits.min, min(counts), min(counts) < limits.min),
        ("max", high, limits.max, max(counts), max(counts) > limits.max),
    ):
        if wrong:
            edit = schema_text.set_value(field, str(seen))
            name = f"unique_constraints.{what}"
            yield SchemaChange(
                feature.name, name, f"{limit:,}", f"{seen:,} distinct values", (edit,)
            )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _integer(value: float) -> str:
    return str(int(value))


def _float(value: float) -> str:
    """Return a bound with the shortest digits; schema.pbtxt holds it as float32."""
    return str(np.float32(value)).removesuffix(".0")


def _quoted(text: str) -> str:
    return f'"{CEscape(text, as_utf8=True)}"'
