"""Reads the first tf.Examples of a TFRecord file as a table, with the types that values show."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import pyarrow as pa

from components import files
from components.example_proto import Values, features_of
from components.sources.jsonl_sample import array_of_most
from components.sources.tfrecord_head import plain, read_records

_MOST_ROWS = 20_000  # Examples, which are read one by one here


def sample_records(path: str, rows: int) -> tuple[pa.Table, bool]:
    """Return the first rows of a file, and whether these are all.

    A feature with several values in some record is a column of lists. Of one with values of several
    types, those of the rarer ones are missing, as a run rejects them.

    Raises:
      DataError: the file cannot be read.
    """
    rows = min(rows, _MOST_ROWS)
    with files.open_read(path) as file:
        records = list(itertools.islice(read_records(file, path), rows + 1))
    examples = [e for e in map(features_of, records[:rows]) if e is not None]
    names = dict.fromkeys(name for example in examples for name in example)
    columns = {name: _column(examples, name) for name in names if name}
    return pa.table(columns), len(records) <= rows


def _column(examples: Sequence[Mapping[str, Values]], name: str) -> pa.Array:
    features = [example.get(name) for example in examples]
    values = [None if f is None or not f.dtype else [*map(plain, f.values)] for f in features]
    if all(value is None or len(value) <= 1 for value in values):
        return array_of_most([value[0] if value else None for value in values])
    return array_of_most(values)
