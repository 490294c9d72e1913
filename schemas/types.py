"""The types of columns in one table: schema.pbtxt, Arrow, TensorFlow, requests.

Names of other libraries' types are strings here, so that the table imports none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ColumnType:
    """The representations of one type of column.

    Attributes:
      name: in this project: in schema.pbtxt `type`, and for booleans and times its domain.
      title: what a person calls such values.
      written: how a schema declares it, in words.
      domains: the fields of schema.pbtxt that can limit the values.
      arrow: the Arrow type of a column of examples, where null is missing.
      tensor: the TensorFlow type of the transform graph's input, [rows].
      missing: what stands for a missing value in that input.
      request: the TensorFlow type of a request's dense input. It is float64 for integers, since no
        integer tensor can hold NaN.
      request_missing: what stands for a missing value in that input, and in JSON.
      feature: which list of a tf.train.Feature holds a value.
      json: the Python types that a value in JSON is read as.
      parquet: what a Parquet file has to hold, in words.
      sql: the SQL type to cast a column to before it is written to Parquet.
    """

    name: str
    title: str
    written: str
    domains: tuple[str, ...]
    arrow: str
    tensor: str
    missing: int | float | bytes
    request: str
    request_missing: float | str
    feature: str
    json: tuple[type, ...]
    parquet: str
    sql: str

    @property
    def is_text(self) -> bool:
        """Whether examples hold texts; they hold numbers otherwise."""
        return self.tensor == "string"

    @property
    def is_whole(self) -> bool:
        """Whether examples hold whole numbers."""
        return self.tensor == "int64"

    @property
    def is_time(self) -> bool:
        """Whether examples hold microseconds since 1970, in UTC."""
        return "time_domain" in self.domains

    @property
    def is_boolean(self) -> bool:
        """Whether there are two values; Arrow and JSON have a type for them."""
        return bool in self.json

    @property
    def is_read(self) -> bool:
        """Whether requests write a value otherwise than examples hold it, or not every one fits."""
        return self.name not in WRITTEN

    @property
    def is_requested_as_text(self) -> bool:
        """Whether requests carry texts; they carry numbers otherwise."""
        return self.request == "string"

    @property
    def request_empty(self) -> float | str:
        """What stands first in a row of a request's list input [rows, width] without values.

        Such a row differs from a missing list, which `request_missing` stands for. The values of
        other rows come first; `request_missing` fills up the width. No value of examples is one of
        the two.
        """
        return "\0" if self.is_requested_as_text else float("inf")


INT = ColumnType(
    name="INT",
    title="whole number",
    written="INT",
    domains=("int_domain",),
    arrow="int64",
    tensor="int64",
    missing=-(2**63),  # integers are within ±2**53, so the smallest int64 is free
    request="float64",
    request_missing=float("nan"),
    feature="int64_list",
    json=(int, float),
    parquet="whole numbers",
    sql="BIGINT",
)
FLOAT = ColumnType(
    name="FLOAT",
    title="number",
    written="FLOAT",
    domains=("float_domain",),
    arrow="float",
    tensor="float32",
    missing=float("nan"),
    request="float32",
    request_missing=float("nan"),
    feature="float_list",
    json=(int, float),
    parquet="floats or doubles",
    sql="DOUBLE",
)
BYTES = ColumnType(
    name="BYTES",
    title="text",
    written="BYTES",
    domains=("domain", "string_domain"),
    arrow="string",
    tensor="string",
    missing=b"",
    request="string",
    request_missing="",
    feature="bytes_list",
    json=(str,),
    parquet="text",
    sql="VARCHAR",
)

FLOAT_TEXT = replace(
    FLOAT,
    name="FLOAT_TEXT",
    title="number with up to 17 digits",
    written="BYTES with a float_domain",
    arrow="double",
    tensor="float64",
    request="string",  # a tf.Example has no float64
    request_missing="",
    feature="bytes_list",
    json=(int, float, str),
    parquet="doubles, decimals, or text",
)
BOOL = replace(
    INT,
    name="BOOL",
    title="0 or 1",
    written="INT with a bool_domain",
    domains=("bool_domain",),
    json=(bool, int, float),
    parquet="booleans, or 0 and 1",
    sql="BOOLEAN",
)
BOOL_TEXT = replace(
    BYTES,
    name="BOOL_TEXT",
    title="one of two texts",
    written="BYTES with a bool_domain",
    domains=("bool_domain",),
    json=(bool, str),
    parquet="booleans, or the two texts",
    sql="BOOLEAN",
)
TIME = replace(
    INT,
    name="TIME",
    title="time as a number",
    written="INT with a time_domain",
    domains=("time_domain",),
    parquet="timestamps, dates, or whole numbers in the unit of time_domain",
    sql="TIMESTAMP",
)
TIME_TEXT = replace(
    TIME,
    name="TIME_TEXT",
    title="time",
    written="BYTES with a time_domain",
    request="string",
    request_missing="",
    feature="bytes_list",
    json=(str,),
    parquet="timestamps, dates, or text in the format of time_domain",
)

TYPES = {
    each.name: each for each in (INT, FLOAT, FLOAT_TEXT, BYTES, BOOL, BOOL_TEXT, TIME, TIME_TEXT)
}
NUMBERS = (INT, FLOAT, FLOAT_TEXT, BOOL, TIME, TIME_TEXT)  # types that the graph has as numbers
CATEGORIES = (INT, BYTES, BOOL, BOOL_TEXT)  # types whose values can be counted one by one
# As a schema writes them in `type`; the others differ from these by their domain.
WRITTEN = {each.name: each for each in (INT, FLOAT, BYTES)}
NAMES = f"{', '.join([*WRITTEN][:-1])} or {[*WRITTEN][-1]}"  # as errors list them
