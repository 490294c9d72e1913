"""Derived columns that ingest computes, since other sections than features and crosses use them.

The label, splits, slices, `prepare` and rules of the validation read them from the examples, as
they do raw columns. No request carries them. Features are computed in the transform graph alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from schemas.columns import SERVING, Column
from schemas.derived import DerivedColumn, needed
from schemas.expressions import parse
from schemas.expressions.engine import require_duckdb
from schemas.expressions.value_types import BOOLEAN
from schemas.spec import Spec
from schemas.types import BOOL, TIME


def stored_columns(
    spec: Spec,
    columns: tuple[Column, ...],
    derived: tuple[DerivedColumn, ...],
    *,
    where: str,
    place: Callable[[str], str],
) -> tuple[Column, ...]:
    """Return the derived columns that examples have, each after those that it uses.

    Args:
      spec: pipeline.yaml.
      columns: the columns of schema.pbtxt.
      derived: the derived columns of pipeline.yaml.
      where: the path of pipeline.yaml.
      place: returns the place of a rule of the validation, for errors.

    Raises:
      ConfigError: an expression is wrong, or DuckDB is needed and not installed.
    """
    if not derived:
        return ()
    every = (*columns, *(each.column for each in derived))
    names = [*spec.stored_columns]
    for rule, text in spec.prepare.conditions.items():
        names += parse(text, every, where=f"{where}: {rule}", needs=BOOLEAN).columns
    if spec.validation.rules:
        from schemas.rules import parse_rules  # which imports a parser of SQL

        for each in parse_rules(spec.validation.rules, every, place=place):
            names += each.expression.columns
    found = needed(derived, names)
    if found:
        name = found[-1].name
        require_duckdb(f"the derived column {name!r}", where=f"{where}: derive.{name}")
    return tuple(each.stored for each in found)


def in_schema(columns: Iterable[Column]) -> str:
    """Return what schema.pbtxt would have of derived columns, as the text of a schema."""
    return "".join(
        f'feature {{ name: "{column.name}" {_TYPES.get(column.kind, f"type: {column.kind}")}'
        f' not_in_environment: "{SERVING}" }}\n'
        for column in columns
    )


_TYPES = {
    BOOL.name: "type: INT bool_domain {}",
    TIME.name: "type: INT time_domain { integer_format: UNIX_MICROSECONDS }",
}
