"""The same expression has the same values by DuckDB and in the transform graph."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import tensorflow as tf
from hypothesis import HealthCheck, given, settings

from components.examples import as_dense_lists
from components.expressions.rows import RowExpressions
from components.expressions.tensors.graph import FUNCTIONS as IMPLEMENTED
from components.expressions.tensors.graph import computed
from schemas.expressions.functions import FUNCTIONS, SPECIAL
from schemas.expressions.tensor_limits import REFUSED
from schemas.expressions.value_types import DATE, NUMBER, TEXT, TIMESTAMP
from tests.component.expressions.any_tree import COLUMNS, batches, expressions


def by_duckdb(expression, batch):
    (values,) = RowExpressions({"e": expression}, COLUMNS).values(batch)
    if expression.type in (TIMESTAMP, DATE):
        values = values.cast(pa.timestamp("us")).cast(pa.int64())
    return values.to_pylist()


def by_graph(expression, batch):
    value = computed(expression.tree, inputs_of(batch))
    rows = [batch.num_rows]
    values = np.broadcast_to(value.values.numpy(), rows).tolist()
    if expression.type == TEXT:
        values = [each.decode() for each in values]
    if expression.type == DATE:
        values = [each * 86_400_000_000 for each in values]
    known = np.broadcast_to(value.known.numpy(), rows)
    return [value if is_known else None for value, is_known in zip(values, known, strict=True)]


def inputs_of(batch):
    """Return the columns as the transform stage reads them."""
    dense = as_dense_lists(batch, COLUMNS)
    inputs = {}
    for column in COLUMNS:
        lists = dense.column(dense.schema.get_field_index(column.name))
        flat = tf.constant(lists.flatten().to_numpy(zero_copy_only=False), column.type.tensor)
        splits = lists.offsets.to_numpy()
        inputs[column.name] = (
            tf.RaggedTensor.from_row_splits(flat, splits) if column.is_list else flat
        )
    return inputs


def agree(expression, one, other):
    if expression.type == NUMBER and one is not None and other is not None:
        return abs(one - other) <= 1e-12 * max(abs(one), abs(other)) + 1e-300
    return one == other


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(expressions(), batches())
def test_duckdb_and_the_graph_agree(expression, batch):
    pairs = zip(by_duckdb(expression, batch), by_graph(expression, batch), strict=True)
    for row, (one, other) in enumerate(pairs):
        assert agree(expression, one, other), (row, one, other, batch.slice(row, 1).to_pylist())


def test_each_function_has_an_implementation_or_is_refused():
    assert {*FUNCTIONS, *SPECIAL} == {*IMPLEMENTED, *REFUSED}
