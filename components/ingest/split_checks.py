"""Checks splits that no hash of a key makes: no key is in two, and their times are in order.

Examples do not know which line they are from. So a check reads the examples, and only if it fails,
the source once more, up to the rows that show the fault.
"""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from components.examples import column, count_rows, iter_batches
from components.ingest.failures import disk_errors
from components.ingest.hashing import hash_rows
from components.ingest.split_facts import Measure, ShardFacts, span_of
from components.ingest.splits.protocol import Splitter
from components.prepare.reading import PreparedReader
from components.sources.protocol import Part
from schemas.errors import DataError
from schemas.splits.options import SPLITS, SplitOptions

_WHERE = "splits in pipeline.yaml"
_KEYS_AT_ONCE = 1 << 25  # hashes of eight bytes in memory
_SAMPLES = 2  # keys that an error shows


@dataclass(frozen=True)
class Row:
    """A row of the source.

    Attributes:
      split: its split.
      place: its file and line.
      values: what it has in the columns that were asked for.
    """

    split: str
    place: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class SourceRows:
    """The rows of a source that are in a split."""

    reader: PreparedReader
    parts: Sequence[Part]
    splitter: Splitter

    def find(
        self, columns: Sequence[str], match: Callable[[pa.RecordBatch], np.ndarray]
    ) -> Iterator[Row]:
        """Yield the rows that match, in the order of the source.

        Args:
          columns: those whose values to return.
          match: says which rows of a batch match, bool [rows].
        """
        for part in self.parts:
            for block in self.reader.read(part):
                rows = np.flatnonzero(match(block.columns))
                if not rows.size:
                    continue
                found = block.columns.take(pa.array(rows))
                values = zip(*(column(found, n).to_pylist() for n in columns), strict=True)
                splits = self.splitter.assign(found, part.path).tolist()
                places = block.places[rows].tolist()
                for split, place, row in zip(splits, places, values, strict=True):
                    if split >= 0:
                        yield Row(SPLITS[split], f"{part.path}:{place}", row)


def check_order(
    shards: Sequence[ShardFacts], measure: Measure, splits: SplitOptions, rows: SourceRows
) -> None:
    """Check that train ends before eval begins, and eval before test, if the split says so.

    Raises:
      DataError: they do not; names the last row of the one and the first row of the other.
    """
    if not splits.ordered or measure.time is None:
        return
    name = measure.time.name
    spans = [(split, span_of(s for s in shards if s.split == split)) for split in SPLITS]
    for (earlier, before), (later, after) in pairwise(spans):
        if before is None or after is None or before[1] < after[0]:
            continue
        last = _place(rows, name, before[1], earlier)
        first = _place(rows, name, after[0], later)
        raise DataError(
            f"{earlier} ends at {measure.time_text(before[1])} ({last}), and {later} begins at"
            f" {measure.time_text(after[0])} ({first}), by {name!r}",
            where=_WHERE,
            expected="train ends before eval begins, and eval before test: what is measured is then"
            " how well the model predicts what comes later",
            remedy="move the rows to other splits, or leave out splits.time if their order does not"
            " matter",
        )


def _place(rows: SourceRows, name: str, time: int, split: str) -> str:
    """Return where the first row with this time is in a split."""

    def match(batch: pa.RecordBatch) -> np.ndarray:
        return column(batch, name).to_numpy() == time

    return next(row.place for row in rows.find([name], match) if row.split == split)


def check_keys(examples: str, splits: SplitOptions, rows: SourceRows) -> None:
    """Check that no key is in two splits, if the split says so.

    Memory does not grow with the examples. A row of which all key columns are missing has no key.

    Raises:
      DataError: a key is in two splits; names a row of each.
    """
    shared = _shared(examples, splits.apart) if splits.apart else np.zeros(0, np.uint64)
    pairs = _pairs(rows, splits.apart, shared[:_SAMPLES]) if shared.size else []
    if not pairs:  # without shared keys, or with two keys of the same hash
        return
    names = ", ".join(splits.apart)
    shown = "; ".join(
        f"{_in_words(splits.apart, one.values)} is {one.split} ({one.place}) and {two.split}"
        f" ({two.place})"
        for one, two in pairs
    )
    raise DataError(
        f"{len(shared):,} key{'s are' if len(shared) > 1 else ' is'} in two splits: {shown}"
        + ("; …" if len(shared) > len(pairs) else ""),
        where=_WHERE,
        expected=f"rows with the same {names} in one split, so that the model is not measured on"
        " what it has learned",
        remedy="move the rows to one split, name other columns in splits.key, or set"
        " splits.shared_keys: allow if such rows do not depend on each other",
    )


def _in_words(key: Sequence[str], values: tuple[Any, ...]) -> str:
    return ", ".join(f"{n} = {v!r}" for n, v in zip(key, values, strict=True))


def _shared(examples: str, key: Sequence[str]) -> np.ndarray:
    """Return the hashes of the keys that are in several splits, uint64 [keys].

    Hashes go through temporary files, each with all that have the same remainder.
    """
    total = sum(count_rows(examples, split) for split in SPLITS)
    files = max(1, math.ceil(total / _KEYS_AT_ONCE))
    with (
        disk_errors("the hashes of keys", tempfile.gettempdir()),
        tempfile.TemporaryDirectory(prefix="skewless-keys-") as folder,
    ):
        for split in SPLITS:
            _write_hashes(examples, split, key, [_path(folder, split, n) for n in range(files)])
        return np.concatenate([_in_several(folder, number) for number in range(files)])


def _path(folder: str, split: str, number: int) -> str:
    return os.path.join(folder, f"{split}-{number}")


def _write_hashes(examples: str, split: str, key: Sequence[str], paths: Sequence[str]) -> None:
    """Write the hash of each row of a split that has a key into one of the files."""
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(open(path, "wb")) for path in paths]
        for batch in iter_batches(examples, split, key):
            hashes = _hash(batch, key)[_has_key(batch, key)]
            remainders = hashes % np.uint64(len(files))
            for number, file in enumerate(files):
                hashes[remainders == number].tofile(file)


def _in_several(folder: str, number: int) -> np.ndarray:
    """Return the hashes that are in this file of several splits."""
    each = [np.unique(np.fromfile(_path(folder, s, number), np.uint64)) for s in SPLITS]
    hashes = np.sort(np.concatenate(each))
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])


def _hash(batch: pa.RecordBatch, key: Sequence[str]) -> np.ndarray:
    return hash_rows(column(batch, name) for name in key)


def _has_key(batch: pa.RecordBatch, key: Sequence[str]) -> np.ndarray:
    present = [column(batch, n).is_valid().to_numpy(zero_copy_only=False) for n in key]
    return np.logical_or.reduce(present)


def _pairs(rows: SourceRows, key: Sequence[str], hashes: np.ndarray) -> list[tuple[Row, Row]]:
    """Return, for keys with these hashes, two rows in different splits."""

    def match(batch: pa.RecordBatch) -> np.ndarray:
        return np.isin(_hash(batch, key), hashes) & _has_key(batch, key)

    first: dict[tuple[Any, ...], Row] = {}
    pairs: dict[tuple[Any, ...], tuple[Row, Row]] = {}
    for row in rows.find(key, match):
        other = first.setdefault(row.values, row)
        if other.split != row.split:
            pairs.setdefault(row.values, (other, row))
        if len(pairs) == len(hashes):
            break
    return list(pairs.values())
