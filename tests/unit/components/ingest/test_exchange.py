"""Rows → pieces → shards: nothing lost, splits by key, order mixed and repeatable."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.ingest.exchange import (
    MAX_SHARD_BYTES,
    PieceWriter,
    Router,
    Shards,
    collect,
    plan_shards,
    write_shard,
)
from components.ingest.hashing import hash_rows
from components.ingest.splits.hash import Splitter, assign
from schemas.splits.hash import Hash
from schemas.splits.options import SPLITS

SCHEMA = pa.schema([("id", pa.int64()), ("key", pa.int64()), ("text", pa.string())])
SHARES = Hash(key=("key",))


def rows(first, count):
    ids = np.arange(first, first + count)
    texts = [None if i % 7 == 0 else f"text {i}" for i in ids]
    return pa.record_batch([pa.array(ids), pa.array(ids // 2), pa.array(texts)], schema=SCHEMA)


def exchange(folder, shards, batches_by_source):
    """Write and collect rows; return the ids of each shard in order."""
    folder.mkdir()
    router, pieces = Router(Splitter(SHARES), shards), []
    for file, batches in enumerate(batches_by_source):
        with PieceWriter(str(folder), SCHEMA, router, "rows.csv", file=file, part=file) as writer:
            for batch in batches:
                writer.write(batch, batch["id"].to_numpy())
        pieces += writer.pieces()
    found = {}
    for shard in range(shards.total):
        path = shards.path_of(str(folder / "out"), shard)
        mine = [piece for number, piece in reversed(pieces) if number == shard]
        count = write_shard(path, collect(mine, SCHEMA), shard=shard, batch_rows=64)
        table = pq.read_table(path)
        assert table.schema.remove_metadata() == SCHEMA
        assert table.num_rows == count
        found[os.path.relpath(path, folder / "out")] = table
    return found


SOURCES = [[rows(0, 300), rows(0, 0), rows(300, 200)], [], [rows(500, 500)]]


def test_nothing_is_lost_and_values_stay_together(tmp_path):
    found = exchange(tmp_path / "x", Shards((3, 1, 2)), SOURCES)
    everything = pa.concat_tables(found.values()).sort_by("id").combine_chunks()
    assert everything == pa.Table.from_batches([rows(0, 1000)]).combine_chunks()


def test_a_rows_split_is_that_of_its_key(tmp_path):
    found = exchange(tmp_path / "x", Shards((3, 1, 2)), SOURCES)
    for path, table in found.items():
        keys = table["key"].combine_chunks()
        splits = {SPLITS[i] for i in assign(hash_rows([keys]), SHARES.shares)}
        assert splits == {path.split("/")[0].removeprefix("Split-")}


def test_rows_are_mixed_over_shards_and_within(tmp_path):
    found = exchange(tmp_path / "x", Shards((3, 1, 2)), SOURCES)
    training = [t["id"].to_numpy() for p, t in found.items() if p.startswith("Split-train")]
    total = sum(len(ids) for ids in training)
    for ids in training:
        assert len(ids) == pytest.approx(total / 3, rel=0.25)
        assert abs(np.corrcoef(ids, np.arange(len(ids)))[0, 1]) < 0.2
        assert ids.mean() == pytest.approx(500, abs=60)


def test_the_same_again_is_the_same(tmp_path):
    first = exchange(tmp_path / "a", Shards((2, 1, 1)), SOURCES)
    again = exchange(tmp_path / "b", Shards((2, 1, 1)), SOURCES)
    assert {p: t["id"].to_pylist() for p, t in first.items()} == {
        p: t["id"].to_pylist() for p, t in again.items()
    }


def test_row_groups_are_batches(tmp_path):
    exchange(tmp_path / "x", Shards((1, 1, 1)), [[rows(0, 1000)]])
    footer = pq.read_metadata(tmp_path / "x/out/Split-train/examples-00000-of-00001.parquet")
    sizes = [footer.row_group(i).num_rows for i in range(footer.num_row_groups)]
    assert sizes[:-1] == [64] * (len(sizes) - 1)
    assert len(sizes) > 8


def test_a_shard_without_pieces_is_empty(tmp_path):
    path = str(tmp_path / "out/empty.parquet")
    assert write_shard(path, collect([], SCHEMA), shard=0, batch_rows=64) == 0
    assert pq.read_table(path).schema == SCHEMA


def test_a_second_attempt_does_not_touch_the_first(tmp_path):
    router = Router(Splitter(SHARES), Shards((1, 1, 1)))
    paths: list[str] = []
    for _ in range(2):
        with PieceWriter(str(tmp_path), SCHEMA, router, "rows.csv", file=0, part=0) as writer:
            writer.write(rows(0, 10), np.arange(10))
        paths += {piece.path for _, piece in writer.pieces()}
    assert len(set(paths)) == 2


def test_shards_are_numbered_through_the_splits():
    shards = Shards((2, 1, 3))
    assert shards.total == 6
    assert [shards.split_of(i) for i in range(6)] == ["train"] * 2 + ["eval"] + ["test"] * 3
    assert shards.path_of("out", 5) == "out/Split-test/examples-00002-of-00003.parquet"
    with pytest.raises(IndexError, match="6 shards"):
        shards.split_of(6)


@pytest.mark.parametrize(
    ("count", "text_bytes", "expected"),
    [
        (0, 0, (1, 1, 1)),
        (1_000_000, 10**8, (1, 1, 1)),
        (10_000_000, 10**9, (7, 2, 2)),
        (1_000, 10 * MAX_SHARD_BYTES, (7, 2, 2)),
    ],
)
def test_shards_are_what_fits_in_memory(count, text_bytes, expected):
    assert plan_shards(count, text_bytes, SHARES.shares, 1_000_000).counts == expected
