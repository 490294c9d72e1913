"""The types that a column can have, in one table: schema.pbtxt, Arrow, TensorFlow, requests.

Names of other libraries' types are texts here, so that reading the table imports none of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnType:
    """How one type of column is held.

    Attributes:
      name: in schema.pbtxt.
      arrow: the Arrow type of a column of examples, where null is missing.
      tensor: the TensorFlow type of the transform graph's input, [rows].
      missing: what stands for a missing value in that input.
      request: the TensorFlow type of a request's dense input, in which NaN or "" is missing. It is
        float64 for integers, since no integer tensor can hold NaN.
      title: what a person calls such values.
    """

    name: str
    arrow: str
    tensor: str
    missing: int | float | bytes
    request: str
    title: str


# Integers are within ±2**53, so the smallest int64 is free to stand for a missing one.
INT = ColumnType("INT", "int64", "int64", -(2**63), "float64", "whole number")
FLOAT = ColumnType("FLOAT", "float", "float32", float("nan"), "float32", "number")
BYTES = ColumnType("BYTES", "string", "string", b"", "string", "text")

TYPES = {each.name: each for each in (INT, FLOAT, BYTES)}
