"""Examples in requests and as Beam reads them."""

from __future__ import annotations

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given
from hypothesis import strategies as st

from components.compat import beam_options
from components.encoded_examples import as_tf_examples
from components.example_batches import read_examples, read_splits
from components.examples import ShardWriter, arrow_schema, split_folder, sweep
from schemas.columns import Column

COLUMNS = (Column("i", "INT", True), Column("f", "FLOAT", True), Column("Fare ($)", "BYTES", True))
ROWS = pa.RecordBatch.from_arrays(
    [
        pa.array([1, None, -(2**62), 0, 5], pa.int64()),
        pa.array([None, 0.5, float("inf"), -1.5, 2.0], pa.float32()),
        pa.array(["naïve", "", None, "日本\n\t", "x"], pa.string()),
    ],
    schema=arrow_schema(COLUMNS),
)


@pytest.mark.parametrize("start", [0, 1, 3])
def test_tf_examples_leave_missing_values_out(start):
    from tensorflow.core.example import example_pb2

    read = []
    for text in as_tf_examples(ROWS.slice(start, 2), COLUMNS):
        features = example_pb2.Example.FromString(text).features.feature
        read.append(
            {name: list(getattr(f, f.WhichOneof("kind")).value) for name, f in features.items()}
        )
    assert (
        read
        == [
            {"i": [1], "Fare ($)": ["naïve".encode()]},
            {"f": [0.5], "Fare ($)": [b""]},
            {"i": [-(2**62)], "f": [float("inf")]},
            {"i": [0], "f": [-1.5], "Fare ($)": ["日本\n\t".encode()]},
            {"i": [5], "f": [2.0], "Fare ($)": [b"x"]},
        ][start : start + 2]
    )


CELLS = st.fixed_dictionaries(
    {
        "i": st.none() | st.integers(-(2**63), 2**63 - 1),
        "f": st.none() | st.floats(width=32),
        "Fare ($)": st.none() | st.binary(max_size=300),
        "日本": st.none() | st.sampled_from([b"", b"a\0\0", b"\n\x06\n\x01i\x12\0", b"x" * 20_000]),
    }
)


@given(st.lists(CELLS, max_size=6))
def test_tf_examples_are_what_protobuf_writes_of_them(rows):
    from tensorflow.core.example import example_pb2

    kinds = {"i": "INT", "f": "FLOAT", "Fare ($)": "BYTES", "日本": "BYTES"}
    types = {"INT": pa.int64(), "FLOAT": pa.float32(), "BYTES": pa.binary()}
    batch = pa.RecordBatch.from_arrays(
        [pa.array([row[name] for row in rows], types[kind]) for name, kind in kinds.items()],
        list(kinds),
    )
    expected = []
    for row in rows:
        example = example_pb2.Example()
        for name, value in row.items():
            if value is not None:
                feature = example.features.feature[name]
                lists = {
                    "INT": feature.int64_list,
                    "FLOAT": feature.float_list,
                    "BYTES": feature.bytes_list,
                }
                lists[kinds[name]].value.append(value)
        expected.append(example.SerializeToString(deterministic=True))

    assert as_tf_examples(batch, [Column(n, k, True) for n, k in kinds.items()]) == expected


@pytest.fixture
def examples(tmp_path):
    for split, rows in (("train", ROWS), ("eval", ROWS.slice(3)), ("test", None)):
        path = f"{split_folder(str(tmp_path), split)}/a.parquet"
        with ShardWriter(path, ROWS.schema, batch_rows=2) as writer:
            if rows is not None:
                writer.write(rows)
    return str(tmp_path)


def test_beam_reads_a_split_a_row_group_at_a_time(examples):
    with beam.Pipeline(options=beam_options(None)) as pipeline:
        batches = pipeline | read_examples(examples, "train", ["i"])
        values = batches | beam.Map(lambda batch: batch.to_pydict())
        assert_that(values, equal_to([{"i": [1, None]}, {"i": [-(2**62), 0]}, {"i": [5]}]))


def test_beam_reads_several_splits_that_stay_apart(examples):
    with beam.Pipeline(options=beam_options(None)) as pipeline:
        batches = pipeline | read_splits(examples, ("train", "eval", "test"), ["i", "f"])
        values = batches | beam.MapTuple(lambda split, batch: (split, batch.column(0).to_pylist()))
        wanted = [("train", [1, None]), ("train", [-(2**62), 0]), ("train", [5]), ("eval", [0, 5])]
        assert_that(values, equal_to(wanted))


def test_two_workers_may_write_the_same_shard(tmp_path):
    path = str(tmp_path / "Split-train" / "x.parquet")
    schema = pa.schema([("x", pa.int64())])
    batch = pa.record_batch([pa.array([1, 2])], schema=schema)
    given_up = ShardWriter(path, schema, batch_rows=2)
    given_up.__enter__()
    with ShardWriter(path, schema, batch_rows=2) as writer:
        writer.write(batch)
    given_up.write(batch.slice(0, 1))
    assert pq.read_table(path).num_rows == 2
    sweep(str(tmp_path), ["train", "eval"])
    assert [p.name for p in (tmp_path / "Split-train").iterdir()] == ["x.parquet"]
    with pytest.raises(FileNotFoundError):
        given_up.__exit__(None, None, None)
    assert pq.read_table(path).num_rows == 2
