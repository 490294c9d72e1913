"""Computes SQL expressions over batches of examples, by DuckDB.

A missing value is null, and examples have no NaN. Numbers are float64: a column of float32 is
widened first. So `fare = 0.1` is false for the float32 that is nearest to 0.1, as in numpy and
TensorFlow. What is undefined is null; a condition that is null is not true.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from components.compat import result_of
from components.examples import arrow_schema, column
from components.expressions.duckdb_sql import query
from schemas.columns import Column
from schemas.errors import ConfigError, DataError
from schemas.expressions.tree import Expression, Node
from schemas.types import FLOAT

_BATCH = "batch"


class RowExpressions:
    """Computes several expressions for each row; is sent to workers.

    Args:
      expressions: by the name that errors call each by, such as `prepare.where.adult`.
      columns: the columns of schema.pbtxt.
    """

    def __init__(self, expressions: dict[str, Expression], columns: Sequence[Column]) -> None:
        self._expressions = expressions
        used = {name for each in expressions.values() for name in each.columns}
        self.columns = tuple(column for column in columns if column.name in used)
        names = {each.name: f"c{i}" for i, each in enumerate(self.columns)}
        self._sql = query([each.tree for each in expressions.values()], names, _BATCH)

    def check(self, *, where: str) -> None:
        """Check that DuckDB can compute the expressions, such as that patterns are regular ones.

        Raises:
          ConfigError: it cannot.
        """
        schema = arrow_schema(self.columns)
        empty = [pa.array([], field.type) for field in schema]
        try:
            self.values(pa.RecordBatch.from_arrays(empty, schema=schema))
        except DataError as error:
            raise ConfigError(error.what, where=where, remedy=error.remedy) from error

    def values(self, batch: pa.RecordBatch) -> list[pa.Array]:
        """Return each expression's values, arrays [rows]: null where it is null or undefined.

        Args:
          batch: rows of examples with at least the columns used.

        Raises:
          DataError: DuckDB refuses.
        """
        from components.expressions import duckdb_connection

        arrays = [_typed(column(batch, each.name), each) for each in self.columns]
        table = pa.Table.from_arrays(arrays, [f"c{i}" for i in range(len(arrays))])
        connection = duckdb_connection.own()
        try:
            connection.register(_BATCH, table)
            found = result_of(connection.execute(self._sql))
            connection.unregister(_BATCH)
        except duckdb_connection.Error as error:
            raise DataError(
                f"DuckDB cannot compute {self._shown()}: {str(error).splitlines()[0]}",
                where=", ".join(self._expressions),
                remedy="correct the expression",
            ) from error
        return [each.combine_chunks() for each in found.columns]

    def _shown(self) -> str:
        return "; ".join(each.text for each in self._expressions.values())


def truths(values: pa.Array) -> pa.Array:
    """Return which values are true: null is not.

    >>> truths(pa.array([True, False, None])).to_pylist()
    [True, False, False]
    """
    return pc.fill_null(values, False)


def _typed(array: pa.Array, raw: Column) -> pa.Array:
    """Return a column of examples with the type that expressions have."""
    if raw.type.is_boolean and not raw.is_list:
        return pc.equal(array, pa.scalar(raw.booleans[1], array.type))
    if raw.type.is_time:
        wanted = pa.timestamp("us")
    elif raw.type is FLOAT:
        wanted = pa.float64()
    else:
        return array
    return array.cast(pa.list_(wanted) if raw.is_list else wanted)


def value_of(tree: Node) -> Any:
    """Return the value of a tree without columns, such as True; None if it is undefined."""
    from components.expressions import duckdb_connection

    found = duckdb_connection.own().execute(query([tree], {}, "(SELECT 1)")).fetchone()
    return found[0] if found else None
