"""Tables of any number of columns, in memory."""

import numpy as np
import pyarrow as pa

from schemas.columns import Column

TYPES = {"INT": pa.int64(), "FLOAT": pa.float32(), "BYTES": pa.binary()}


def columns_of(count):
    """Return columns, every tenth a text and every seventh an integer."""
    kinds = ["BYTES" if i % 10 == 9 else "INT" if i % 7 == 6 else "FLOAT" for i in range(count)]
    return tuple(Column(f"c{i:03}", kind, True) for i, kind in enumerate(kinds))


def table(columns, rows=6):
    """Return rows in which no two values of a kind are equal and a few are missing."""
    random, batch = np.random.default_rng(1), []
    for number, column in enumerate(columns):
        numbers = [1_000 * (number + 1) + row for row in range(rows)]
        words = [f"word {value}".encode() for value in numbers]
        values: list[int] | list[bytes] = words if column.kind == "BYTES" else numbers
        missing = random.random(rows) < 0.05
        missing[0] = False
        batch.append(pa.array(values, TYPES[column.kind], mask=missing))
    return pa.RecordBatch.from_arrays(batch, [c.name for c in columns])
