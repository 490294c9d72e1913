"""Raw columns as the stages need them: a plain view of schema.pbtxt.

Parses a TFMD schema (text proto) into a tuple of `Column` values; errors name the line. Stages take
this view rather than the schema, so that a changed domain or threshold re-runs only the
validation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from schemas.errors import ConfigError, did_you_mean
from schemas.schema_lines import deepest
from schemas.types import (
    BOOL,
    BOOL_TEXT,
    BYTES,
    FLOAT_TEXT,
    INT,
    NAMES,
    TIME,
    TIME_TEXT,
    TYPES,
    ColumnType,
)

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2

SERVING = "SERVING"
TRAINING = "TRAINING"
ENVIRONMENTS = (TRAINING, SERVING)

# The absolute value of an INT is at most this: requests have float64, which is exact up to here.
LARGEST_INTEGER = 2**53

# From this number on a float32 is infinite. Numbers slightly above its largest value, which the
# shortest digits of that value may be, are rounded to it.
FLOAT32_END = 2.0**128 - 2.0**103

# A number as text, for Arrow, TensorFlow and Python alike; in requests of so many characters, as
# TensorFlow parses no longer one.
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
LONGEST_NUMBER = 31

# A row of a list has at most this many values: a batch in memory is as wide as its longest list.
MOST_VALUES = 1_000

SPACES = " \t"  # a source's `trim` drops these around names and values

_DEEPEST = 30  # levels of nested messages; a schema's deepest field has ten


@dataclass(frozen=True)
class Column:
    """A raw column.

    Attributes:
      name: as in the table's header.
      kind: the name of its type in `schemas.types`.
      serving: whether a request carries it; False for columns known only afterwards.
      form: how its type is written in files and requests, where the type alone does not say it: of
        a boolean as text the true and the false value, of a time its unit or format.
      most: the largest number of values in a row of a list; 0 for a column of one value a row.
      inputs: of a derived column, those that its expression uses, which are before it.
      tree: of a derived column, what it computes, as `schemas.expressions.tree_json` writes it.
    """

    name: str
    kind: str
    serving: bool
    form: tuple[str, ...] = ()
    most: int = 0
    inputs: tuple[str, ...] = ()
    tree: str = ""

    @property
    def type(self) -> ColumnType:
        """How its values are held."""
        return TYPES[self.kind]

    @property
    def booleans(self) -> tuple[int, int] | tuple[str, str]:
        """What false and true are in a column of booleans, as examples and requests hold them."""
        if not self.form:
            return 0, 1
        true, false = self.form
        return false, true

    @property
    def is_list(self) -> bool:
        """Whether a row has a list of values."""
        return self.most > 0

    @property
    def is_derived(self) -> bool:
        """Whether ingest computes it; the source has the others."""
        return bool(self.tree)


def parse_schema(text: str, *, where: str) -> schema_pb2.Schema:
    """Parse the text of a schema.pbtxt into the schema that examples are checked against.

    It describes what examples hold. A boolean written as a number is a category of 0 and 1: TFDV
    counts the values of such a column, but compares its bounds with numeric statistics, which it
    did not compute. One that is written as text is a text. A time is a number without a domain. A
    number that requests write as text is a number.

    Raises:
      ConfigError: the text is not a TFMD schema; names the line.
    """
    from schemas.schema_proto import schema_pb2

    schema = parse_as_written(text, where=where)
    for feature in schema.feature:
        kind, _ = kind_of(feature)
        if kind == BOOL.name:
            feature.int_domain.min, feature.int_domain.max = 0, 1
            feature.int_domain.is_categorical = True
        elif kind == BOOL_TEXT.name:
            feature.type = schema_pb2.BYTES
        elif kind == FLOAT_TEXT.name:
            feature.type = schema_pb2.FLOAT
        elif kind in (TIME.name, TIME_TEXT.name):
            feature.type = schema_pb2.INT
            feature.ClearField("time_domain")
    return schema


def read_columns(text: str, *, where: str) -> tuple[Column, ...]:
    """Return the columns of the text of a schema.pbtxt, in its order.

    Raises:
      ConfigError: the text is not a TFMD schema, a column is named twice, or it has a type that
        examples do not support.
    """
    return columns_of(parse_as_written(text, where=where), where=where)


def parse_as_written(text: str, *, where: str) -> schema_pb2.Schema:
    """Parse the text of a schema.pbtxt without such changes.

    Raises:
      ConfigError: the text is not a TFMD schema; names the line.
    """
    from schemas.schema_proto import schema_pb2, text_format

    depth, line = deepest(text)
    if depth > _DEEPEST:
        raise ConfigError(
            f"schema.pbtxt nests messages {depth:,} levels deep",
            where=f"{where}:{line}",
            expected=f"at most {_DEEPEST} levels",
            remedy="correct the braces",
        )
    try:
        return text_format.Parse(text, schema_pb2.Schema())
    except (text_format.ParseError, RecursionError) as error:
        raise ConfigError(
            f"schema.pbtxt does not parse: {error}{_nearest_field(str(error), schema_pb2.Schema)}",
            where=where,
            expected="a TensorFlow Metadata schema in text form",
            remedy="correct the line named above",
        ) from error


def _nearest_field(problem: str, schema: Any) -> str:
    """Return a hint at the field of a schema or column that a misspelt name is close to."""
    match = re.search(r'type "([\w.]+)" (?:has|should have) no field named "(\w+)"', problem)
    if not match:
        return ""
    top = schema.DESCRIPTOR
    messages = [top, *(f.message_type for f in top.fields_by_name["feature"].message_type.fields)]
    messages += [field.message_type for field in top.fields]
    for message in messages:
        if message is not None and message.full_name == match.group(1):
            hint = did_you_mean(match.group(2), message.fields_by_name)
            return f" {hint}" if hint.startswith("did you mean") else ""
    return ""


def columns_of(schema: schema_pb2.Schema, *, where: str) -> tuple[Column, ...]:
    """Return the columns of a schema as it is written, in its order.

    Raises:
      ConfigError: a column is named twice, or has a type that examples do not support.
    """
    columns: dict[str, Column] = {}
    for feature in schema.feature:
        kind, form = kind_of(feature)
        if kind not in TYPES:
            raise ConfigError(
                f"column {feature.name!r} has type {kind}",
                where=where,
                expected=NAMES,
                remedy=f"set `type:` of {feature.name!r}",
            )
        if feature.name in columns:
            raise ConfigError(f"column {feature.name!r} is described twice", where=where)
        columns[feature.name] = Column(
            feature.name,
            kind,
            in_environment(schema, feature, SERVING),
            form,
            most=feature.value_count.max if feature.value_count.max > 1 else 0,
        )
    return tuple(columns.values())


def kind_of(feature: schema_pb2.Feature) -> tuple[str, tuple[str, ...]]:
    """Return the name of a column's type and its form, by `type` and domain as they are written.

    A type that examples do not support, and a domain that does not fit the type, give the name in
    `type`.
    """
    from schemas.schema_proto import schema_pb2

    written: str = schema_pb2.FeatureType.Name(feature.type)
    domain = feature.WhichOneof("domain_info")
    if domain == "bool_domain" and written in (INT.name, BYTES.name):
        texts = (feature.bool_domain.true_value, feature.bool_domain.false_value)
        return (BOOL_TEXT.name, texts) if all(texts) else (BOOL.name, ())
    if domain == "float_domain" and written == BYTES.name:
        return FLOAT_TEXT.name, ()
    if domain == "time_domain":
        form = feature.time_domain.WhichOneof("format")
        if written == INT.name and form == "integer_format":
            unit = schema_pb2.TimeDomain.IntegerTimeFormat.Name(feature.time_domain.integer_format)
            return TIME.name, (unit,)
        if written == BYTES.name and form == "string_format":
            return TIME_TEXT.name, (feature.time_domain.string_format,)
    return written, ()


def in_environment(
    schema: schema_pb2.Schema, feature: schema_pb2.Feature, environment: str
) -> bool:
    """Return whether a column is in an environment.

    TFDV's rule: out if listed as such, in if listed, otherwise as in the default environments.
    """
    if environment in feature.not_in_environment:
        return False
    if environment in feature.in_environment:
        return True
    return not schema.default_environment or environment in schema.default_environment


def find(columns: Iterable[Column], name: str, *, where: str) -> Column:
    """Return the column of that name.

    Raises:
      ConfigError: there is none; suggests the nearest one.
    """
    by_name = {c.name: c for c in columns}
    if name not in by_name:
        raise ConfigError(
            f"there is no column {name!r} in schema.pbtxt; {did_you_mean(name, by_name)}",
            where=where,
        )
    return by_name[name]


def with_inputs(columns: Iterable[Column], names: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns of these names and those that they are computed from, in order.

    Args:
      columns: all of them; each derived one is after those that it uses.
      names: of some.
    """
    wanted, found = set(names), []
    for column in reversed(tuple(columns)):
        if column.name in wanted:
            found.append(column)
            wanted |= set(column.inputs)
    return tuple(reversed(found))


def require_type(user: str, column: Column, accepted: tuple[ColumnType, ...], where: str) -> None:
    """Check that a column has one of the types that its user accepts.

    Raises:
      ConfigError: it has another type.
    """
    if column.type not in accepted:
        raise ConfigError(
            f"{user} cannot take {column.name!r}, which is {column.type.written}",
            where=where,
            expected=" or ".join(each.written for each in accepted),
            remedy="use another column, or correct its type in schema.pbtxt",
        )


def refuse_list(user: str, column: Column, where: str, *, accepted: str = "") -> None:
    """Check that a column has one value a row.

    Args:
      user: what is to take the column.
      column: the column.
      where: the place of the error.
      accepted: what takes lists instead.

    Raises:
      ConfigError: it has a list of values a row.
    """
    if column.is_list:
        raise ConfigError(
            f"{user} cannot take {column.name!r}, which has a list of values a row",
            where=where,
            expected="a column of one value a row" + (f"; {accepted}" if accepted else ""),
            remedy="use another column, or write value_count { min: 1 max: 1 } for it in"
            " schema.pbtxt if it has one value a row",
        )


def dumps(columns: Iterable[Column]) -> str:
    """Return the columns as a JSON string, for a stage's parameters and a SavedModel's folder."""
    return json.dumps([asdict(c) for c in columns])


def loads(text: str | bytes) -> tuple[Column, ...]:
    """Parse the result of `dumps`."""
    return tuple(
        Column(**{**each, **{key: tuple(each.get(key, ())) for key in ("form", "inputs")}})
        for each in json.loads(text)
    )
