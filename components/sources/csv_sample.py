"""Reads the first rows of a CSV file as text, from which the columns' types are decided."""

from __future__ import annotations

import pyarrow as pa

from components.sources.csv import Reader
from components.sources.number_text import NumberFormat
from components.sources.protocol import Selection
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources.csv import Csv
from schemas.types import BYTES


def sample_records(options: Csv, path: str, rows: int) -> tuple[pa.Table, bool]:
    """Return about the first rows of a file, and whether these are all.

    All columns are texts, with numbers as they are written everywhere else. Those without a name,
    or with the name of another one, are left out.
    """
    plain = NumberFormat(options.decimal, options.thousands).plain
    names = Reader(options, Selection(())).parts(path)[0].ignored
    once = [name for name in names if name and names.count(name) == 1]
    if not once:
        raise DataError(
            "the file's header has no name that only one column has",
            where=path,
            expected="column names in the first line",
        )
    reader = Reader(options, Selection(tuple(Column(n, BYTES.name, serving=True) for n in once)))
    batches, read = [], 0
    for block in reader.read(reader.parts(path)[0]):
        columns = [plain(column) for column in block.columns.columns]
        batches.append(pa.RecordBatch.from_arrays(columns, once))
        read += block.read
        if read >= rows:
            return pa.Table.from_batches(batches).slice(0, rows), False
    schema = pa.schema([(name, pa.string()) for name in once])
    return pa.Table.from_batches(batches, schema), True
