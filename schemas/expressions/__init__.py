"""SQL expressions over the columns of a row: parsed, checked and typed, before any data is read."""

from schemas.expressions.parsing import parse
from schemas.expressions.tree import ColumnValue, Constant, Expression, FunctionCall, Node

__all__ = ["ColumnValue", "Constant", "Expression", "FunctionCall", "Node", "parse"]
