"""The types of columns in one table: schema.pbtxt, Arrow, TensorFlow, requests.

Names of other libraries' types are strings here, so that the table imports none of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnType:
    """The representations of one type of column.

    Attributes:
      name: in schema.pbtxt.
      title: what a person calls such values.
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
    def is_requested_as_text(self) -> bool:
        """Whether requests carry texts; they carry numbers otherwise."""
        return self.request == "string"


INT = ColumnType(
    name="INT",
    title="whole number",
    domains=("int_domain", "bool_domain"),
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
    domains=("domain", "string_domain", "bool_domain"),
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

TYPES = {each.name: each for each in (INT, FLOAT, BYTES)}
NAMES = f"{', '.join([*TYPES][:-1])} or {[*TYPES][-1]}"  # as errors list them
