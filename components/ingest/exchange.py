"""Distributes typed rows of all files over shuffled shards, with constant memory.

The rows of a source file go to one temporary Arrow file, in a piece for each block and shard. A
shard then collects its pieces, permutes its rows and is written as Parquet. Only `Piece`s, which
have the positions of rows, are exchanged in between. A shard fits in memory: see `plan_shards`.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from components import files
from components.arrow_files import open_arrow
from components.examples import ShardWriter, split_folder
from components.ingest.hashing import permutation, scatter
from components.ingest.splits.protocol import Splitter
from schemas.splits.options import FOLD, SPLITS

_ROWS_AT_ONCE = 65_536
MAX_SHARD_BYTES = 512 << 20  # of source text, however few rows it has


@dataclass(frozen=True)
class Shards:
    """The number of shards of each split, in the order of `SPLITS`; numbers run over all splits."""

    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """The total number of shards."""
        return sum(self.counts)

    def split_of(self, shard: int) -> str:
        """Return the split that a shard belongs to."""
        return SPLITS[self._place(shard)[0]]

    def path_of(self, root: str, shard: int) -> str:
        """Return a shard's path within the examples' folder `root`."""
        split, index = self._place(shard)
        name = f"examples-{index:05d}-of-{self.counts[split]:05d}.parquet"
        return os.path.join(split_folder(root, SPLITS[split]), name)

    def _place(self, shard: int) -> tuple[int, int]:
        """Return the split's position and the shard's number within it."""
        for split, count in enumerate(self.counts):
            if shard < count:
                return split, shard
            shard -= count
        raise IndexError(f"there are {self.total} shards")


def plan_shards(rows: float, text_bytes: float, shares: Sequence[float], shard_rows: int) -> Shards:
    """Return how many shards `rows` rows of `text_bytes` in total need, one or more a split."""
    full = max(rows / shard_rows, text_bytes / MAX_SHARD_BYTES)
    return Shards(tuple(max(1, int(np.ceil(full * share))) for share in shares))


@dataclass(frozen=True)
class Piece:
    """Rows of one part of the source for the same shard.

    Attributes:
      part: the part's position among the parts.
      path: the Arrow file with the rows.
      batches: the positions of its record batches, in the file's order.
    """

    part: int
    path: str
    batches: tuple[int, ...]


class Routing(Protocol):
    """Assigns rows to shards."""

    @property
    def shards(self) -> Shards:
        """The shards."""
        ...

    def route(
        self, batch: pa.RecordBatch, path: str, *, file: int, numbers: np.ndarray
    ) -> np.ndarray:
        """Return each row's shard, shape [rows]; -1 for a row that is in none.

        Args:
          batch: the rows.
          path: the source file.
          file: the source file's position among the files.
          numbers: int64 of shape [rows], each row's number in the file.
        """
        ...


@dataclass(frozen=True)
class Router:
    """Assigns rows to shards: randomly within their split.

    Attributes:
      splitter: assigns rows to splits.
      shards: the number of shards of each split.
    """

    splitter: Splitter
    shards: Shards

    def route(
        self, batch: pa.RecordBatch, path: str, *, file: int, numbers: np.ndarray
    ) -> np.ndarray:
        """Return each row's shard, shape [rows]; -1 for a row that is in no split.

        Args:
          batch: the rows.
          path: the source file.
          file: the source file's position among the files.
          numbers: int64 of shape [rows], each row's number in the file.
        """
        split = self.splitter.assign(batch, path)
        counts = np.array(self.shards.counts)
        offsets = np.cumsum(counts) - counts
        shard = offsets[split] + scatter(file, numbers, counts[split])
        return np.where(split < 0, -1, shard)


class PieceWriter:
    """Writes the rows of one part of the source as pieces; a context manager.

    The shard of a row depends on its number in the file, whatever parts the file has. The Arrow
    file has a new name each time, so that the file of a failed attempt is never read.

    Args:
      folder: where the Arrow file is written.
      schema: the columns.
      router: assigns rows to shards.
      source: the source file.
      file: the source file's position among the files.
      part: the part's position among the parts.

    Attributes:
      rows: how many rows were read.
      dropped: how many of them are in no split.
    """

    def __init__(
        self,
        folder: str,
        schema: pa.Schema,
        router: Routing,
        source: str,
        *,
        file: int,
        part: int,
    ) -> None:
        self._path = os.path.join(folder, f"{uuid.uuid4().hex}.arrow")
        self._stack = contextlib.ExitStack()
        self._router = router
        self._source, self._file, self._part = source, file, part
        self._batches: dict[int, list[int]] = {}
        self._written = 0
        partial = self._stack.enter_context(files.whole(self._path))
        arrow_file = self._stack.enter_context(pa.OSFile(partial, "wb"))
        self._writer = self._stack.enter_context(pa.ipc.new_file(arrow_file, schema))
        self.rows = 0
        self.dropped = 0

    def write(self, batch: pa.RecordBatch, numbers: np.ndarray) -> None:
        """Append rows, each to the piece of its shard; those that are in no split are counted.

        Args:
          batch: the rows.
          numbers: int64 of shape [rows], each row's number in the file.
        """
        shard = self._router.route(batch, self._source, file=self._file, numbers=numbers)
        self.rows += batch.num_rows
        if (kept := shard >= 0).sum() < batch.num_rows:
            self.dropped += int((~kept).sum())
            batch, shard = batch.filter(pa.array(kept)), shard[kept]
        order = np.argsort(shard.astype(np.uint32), kind="stable")
        batch = batch.take(pa.array(order))
        ends = np.cumsum(np.bincount(shard, minlength=self._router.shards.total))
        for number in np.unique(shard).tolist():
            start = int(ends[number - 1]) if number else 0
            self._writer.write_batch(batch.slice(start, int(ends[number]) - start))
            self._batches.setdefault(number, []).append(self._written)
            self._written += 1

    def pieces(self) -> list[tuple[int, Piece]]:
        """Return the pieces with their shards."""
        return [
            (shard, Piece(self._part, self._path, tuple(batches)))
            for shard, batches in self._batches.items()
        ]

    def __enter__(self) -> PieceWriter:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._stack.__exit__(*raised)


def collect(pieces: Iterable[Piece], schema: pa.Schema) -> pa.Table:
    """Return the rows of pieces, which come in any order, in the order of the parts."""
    batches = [b for p in sorted(pieces, key=lambda p: p.part) for b in _read(p)]
    return pa.Table.from_batches(batches, schema).combine_chunks()


def with_folds(table: pa.Table, splitter: Splitter) -> pa.Table:
    """Return training rows with the fold of each as the last column."""
    folds = [pa.array(splitter.folds(b), pa.int64()) for b in table.to_batches(_ROWS_AT_ONCE)]
    return table.append_column(FOLD, pa.chunked_array(folds, pa.int64()))


def write_shard(path: str, table: pa.Table, *, shard: int, batch_rows: int) -> int:
    """Write rows as a shard in a random order that is the same in every run.

    Args:
      path: the Parquet file to write.
      table: the rows, from `collect`.
      shard: the shard's number, which determines its order of rows.
      batch_rows: the number of rows in a row group.

    Returns:
      The number of rows.
    """
    order = permutation(shard, table.num_rows)
    with ShardWriter(path, table.schema, batch_rows=batch_rows) as writer:
        for start in range(0, table.num_rows, batch_rows):
            writer.write(table.take(pa.array(order[start : start + batch_rows])))
        return writer.rows


def _read(piece: Piece) -> Sequence[pa.RecordBatch]:
    stored = files.in_store(piece.path)
    with files.open_read(piece.path) if stored else pa.OSFile(piece.path, "rb") as file:
        reader = open_arrow(file, piece.path)
        return [reader.get_batch(i) for i in piece.batches]
