"""CSV files → Examples through Beam: splits, rejects, counts, order, and clean failures."""

import csv
import errno
import functools
import gzip
import json
import logging
import os
from pathlib import Path

import apache_beam as beam
import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest

from components import files
from components.compat import beam_options
from components.examples import ShardWriter, arrow_schema, iter_batches, shards
from components.ingest.counts import Counts
from components.ingest.exchange import PieceWriter
from components.ingest.ingest import ingest
from components.ingest.split_facts import Measure
from components.ingest.splits.protocol import open_splitter
from components.ingest.steps import IngestParts, Plan
from components.ingest.training import TrainingRules
from components.prepare.reading import PreparedReader
from components.prepare.rules import RowRules
from components.progress import LOGGER
from components.sources import csv as csv_source
from components.sources import parse
from components.sources.csv_ranges import find_ranges, read_records
from components.sources.protocol import Needs, Selection, open_reader
from schemas import sources
from schemas.columns import Column
from schemas.errors import ConfigError, DataError
from schemas.examples import Examples
from schemas.prepare import EVERY_ROW
from schemas.sources.csv import Csv
from schemas.splits.column import ColumnSplit
from schemas.splits.hash import Hash
from schemas.splits.options import SPLITS
from schemas.splits.time import Time
from schemas.tasks.binary import Binary
from schemas.tasks.multiclass import Multiclass
from schemas.tasks.regression import Regression
from tests.tfrecord_files import example, framed

pytestmark = pytest.mark.component

COLUMNS = (
    Column("id", "INT", True),
    Column("fare", "FLOAT", True),
    Column("company", "BYTES", True),
    Column("tips", "FLOAT", False),
)
SHARES = Hash(key=("id", "company"))
LABEL = Binary.model_validate(
    {"name": "y", "exceeds": {"column": "tips", "fraction": 0.2, "of": "fare"}}
)
NAMES = [c.name for c in COLUMNS]


def rows(first, count):
    """Return rows that fit, as text by column."""
    return [
        {"id": str(i), "fare": f"{i}.25", "company": f"c{i % 7}", "tips": "1"}
        for i in range(first, first + count)
    ]


@pytest.fixture
def write(tmp_path):
    def _write(table, *, name="data.csv", names=NAMES):
        path = tmp_path / name
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, names, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(table)
        return str(path)

    return _write


@pytest.fixture
def run(tmp_path):
    """Run the stage on files; return the output folder and the counts."""
    made: list[str] = []

    def _run(*paths, output=None, settings=None, splits=SHARES, label=LABEL, **source):
        made.append(output or str(tmp_path / f"examples-{len(made)}"))
        counts = ingest(
            source=sources.loads(json.dumps({"path": "*.csv", **source})),
            paths=paths,
            columns=COLUMNS,
            splits=splits,
            label=label,
            settings=settings or Examples(),
            output=made[-1],
        )
        return made[-1], counts

    return _run


def read(root, split):
    batches = list(iter_batches(root, split))
    return pa.Table.from_batches(batches, arrow_schema(COLUMNS))


def digests(root):
    """Return the content of each file below a folder, by its path."""
    return {file: files.read_bytes(os.path.join(root, file)) for file in files.walk(root)}


def split_of_ids(root):
    return {i: s for s in SPLITS for i in read(root, s)["id"].to_pylist()}


def rejects(root):
    folder = os.path.join(root, "rejects")
    return [
        row
        for name in sorted(os.listdir(folder))
        for row in pq.read_table(os.path.join(folder, name)).to_pylist()
    ]


def test_rows_become_typed_examples_in_three_splits(write, run):
    root, counts = run(write(rows(0, 2000)))
    assert sorted(os.listdir(root)) == [
        "Split-eval",
        "Split-test",
        "Split-train",
        "counts.json",
        "rejects",
    ]
    everything = pa.concat_tables([read(root, s) for s in SPLITS]).sort_by("id")
    assert everything.schema.remove_metadata() == arrow_schema(COLUMNS)
    assert everything.to_pylist() == [
        {"id": i, "fare": i + 0.25, "company": f"c{i % 7}", "tips": 1.0} for i in range(2000)
    ]
    shares = [counts.examples[s] / 2000 for s in SPLITS]
    assert shares == pytest.approx([0.70, 0.15, 0.15], abs=0.03)
    assert counts == Counts.read(root)
    assert (counts.records_read, counts.records_rejected) == (2000, 0)
    assert rejects(root) == []


def test_new_rows_and_columns_and_another_order_move_no_row(write, run):
    table = rows(0, 300)
    before = split_of_ids(run(write(table))[0])
    more = [{"new": "x", **row} for row in rows(300, 200) + table[::-1]]
    path = write(more, name="more.csv", names=["tips", "new", "company", "fare", "id"])
    after = split_of_ids(run(path)[0])
    assert len(after) == 500
    assert before == {i: s for i, s in after.items() if i < 300}


def test_rows_with_equal_keys_share_a_split(write, run):
    table = [{**row, "id": str(i % 20), "company": "c"} for i, row in enumerate(rows(0, 200))]
    root, _ = run(write(table))
    ids = [set(read(root, s)["id"].to_pylist()) for s in SPLITS]
    assert sum(map(len, ids)) == len(set.union(*ids)) == 20


def test_a_label_or_a_feature_of_a_row_does_not_move_it(write, run):
    table = rows(0, 100)
    changed = [{**row, "fare": "9", "tips": "7"} for row in table]
    first, second = run(write(table))[0], run(write(changed, name="b.csv"))[0]
    assert split_of_ids(first) == split_of_ids(second)


def test_rejected_rows_are_kept_with_their_place(write, run):
    table = rows(0, 50)
    table[3] = {"id": "x", "fare": "1", "company": 'a "b",\nc', "tips": "1"}
    table[5]["tips"] = ""
    table[9]["fare"] = "1e99"
    path = write(table)
    with open(path, "ab") as file:
        file.write(b"1,2,3\r\n")
    root, counts = run(path)
    record = 'x,1,"a ""b"",\nc",1'
    assert rejects(root) == [
        _reject(path, 5, "id", "x", "not_an_integer", record),
        _reject(path, 8, "tips", None, "missing_label", "5,5.25,c5,"),
        _reject(path, 12, "fare", "1e99", "not_finite", "9,1e99,c2,1"),
        _reject(path, 53, None, "3 fields; the header has 4", "wrong_field_count", "1,2,3"),
    ]
    assert counts.records_read == 51
    assert sum(counts.examples.values()) == 47
    assert counts.rejected_by_reason == {
        "missing_label": 1,
        "not_an_integer": 1,
        "not_finite": 1,
        "wrong_field_count": 1,
    }
    assert set(range(50)) - set(split_of_ids(root)) == {3, 5, 9}


def _reject(*values):
    names = ("source", "line", "column", "value", "reason", "record", "raw")
    return dict(zip(names, (*values, None), strict=True))


def test_counters_add_up(write, tmp_path):
    table = rows(0, 100)
    table[7]["id"] = "seven"
    source = open_reader(Csv(path="*"), Selection(COLUMNS, Needs(LABEL.columns)))
    paths = [write(table), write(rows(100, 10), name="b.csv")]
    parts = tuple(part for path in paths for part in source.parts(path))
    reader = PreparedReader.of(source, parts, RowRules(EVERY_ROW, COLUMNS))
    measure, splitter = Measure.by(LABEL, SHARES, COLUMNS), open_splitter(SHARES)
    training = TrainingRules.of(EVERY_ROW, LABEL, SHARES, COLUMNS)
    plan = Plan.of(reader, COLUMNS, SHARES, splitter, Examples(), str(tmp_path), measure, training)
    pipeline = beam.Pipeline(options=beam_options(None))
    _ = pipeline | IngestParts(plan)
    result = pipeline.run()
    result.wait_until_finish()
    found = {c.key.metric.name: c.committed for c in result.metrics().query()["counters"]}
    assert found == {"records_read": 110, "examples_written": 109, "records_rejected": 1}


def test_rows_are_mixed(write, run):
    root, _ = run(write(rows(0, 1000)), settings=Examples(shard_rows=250, batch_rows=50))
    paths = shards(root, "train")
    assert len(paths) == 3
    for path in paths:
        ids = pq.read_table(path)["id"].to_numpy()
        assert len(ids) == pytest.approx(700 / 3, rel=0.3)
        assert abs(np.corrcoef(ids, np.arange(len(ids)))[0, 1]) < 0.25
        assert ids.mean() == pytest.approx(500, abs=80)


def test_the_same_input_gives_the_same_bytes(write, run):
    path = write(rows(0, 500))
    settings = Examples(shard_rows=100, batch_rows=32)
    first, second = (run(path, settings=settings)[0] for _ in range(2))
    names = [os.path.relpath(p, first) for s in SPLITS for p in shards(first, s)]
    assert len(names) == 6
    for name in [*names, "counts.json", "rejects/rejects-00000-of-00001.parquet"]:
        with open(f"{first}/{name}", "rb") as a, open(f"{second}/{name}", "rb") as b:
            assert a.read() == b.read()


def test_several_files_with_columns_in_another_order(write, run, tmp_path):
    plain = write(rows(0, 50))
    other = write(rows(50, 50), name="b.csv", names=NAMES[::-1])
    empty = write([], name="c.csv")
    packed = tmp_path / "d.csv.gz"
    with open(write(rows(100, 50), name="d.csv"), "rb") as file:
        packed.write_bytes(gzip.compress(file.read()))
    root, counts = run(plain, other, empty, str(packed))
    assert sorted(split_of_ids(root)) == list(range(150))
    assert counts.records_read == 150


def test_rejects_of_several_files_come_in_the_files_order(write, run):
    paths = []
    for name in ("b.csv", "a.csv", "c.csv"):
        bad = [{"id": "x"}] if name != "a.csv" else []
        paths.append(write(rows(0, 20) + bad, name=name))
    root, _ = run(*paths)
    assert [r["source"] for r in rejects(root)] == [paths[0], paths[2]]


@pytest.fixture
def write_parquet(tmp_path):
    """Write rows, as text by column, as a Parquet file with the columns' types."""

    def _write(table, *, name="data.parquet", **options):
        kinds = {"INT": int, "FLOAT": float, "BYTES": str}
        columns = {
            c.name: [kinds[c.kind](row[c.name]) if row[c.name] else None for row in table]
            for c in COLUMNS
        }
        types = {"INT": pa.int64(), "FLOAT": pa.float64(), "BYTES": pa.string()}
        schema = pa.schema([(c.name, types[c.kind]) for c in COLUMNS])
        pq.write_table(pa.table(columns, schema=schema), tmp_path / name, **options)
        return str(tmp_path / name)

    return _write


@pytest.fixture
def write_lines(tmp_path):
    """Write rows, as text by column, as JSON lines with the columns' types; missing keys."""

    def _write(table, *, name="data.jsonl"):
        kinds = {"INT": int, "FLOAT": float, "BYTES": str}
        lines = [
            json.dumps({c.name: kinds[c.kind](row[c.name]) for c in COLUMNS if row[c.name]})
            for row in table
        ]
        data = "\n".join(lines).encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return str(tmp_path / name)

    return _write


def _features(row):
    """Return a row as features of a tf.Example; what is missing is absent."""
    return {
        name: [value.encode() if isinstance(value, str) else value]
        for name, value in row.items()
        if value is not None
    }


def contents(root):
    """Return every file of examples with its bytes."""
    paths = [path for split in SPLITS for path in shards(root, split)]
    return {os.path.relpath(path, root): Path(path).read_bytes() for path in paths}


def test_the_same_rows_give_the_same_examples_in_every_format(
    write, write_parquet, write_lines, run, tmp_path
):
    table = rows(0, 3000)
    table[3]["tips"] = ""
    table[5]["fare"] = "1e99"
    table[8]["id"] = str(2**53 + 1)
    table[9]["company"] = ""
    settings = Examples(shard_rows=1000, batch_rows=100)
    first, counts = run(write(table), settings=settings)
    assert counts.records_rejected == 3
    assert len(contents(first)) == 5
    lines = [(r["line"] - 1, r["column"], r["reason"]) for r in rejects(first)]  # less the header
    others = {
        "parquet": write_parquet(table, row_group_size=700),
        "jsonl": write_lines(table, name="data.jsonl.gz"),
    }
    typed = pq.read_table(others["parquet"])
    others["arrow"] = str(tmp_path / "data.feather")
    feather.write_feather(typed, others["arrow"], chunksize=700)
    others["orc"] = str(tmp_path / "data.orc")
    orc.write_table(typed, others["orc"])
    others["avro"] = str(tmp_path / "data.avro")
    kinds = {"INT": "long", "FLOAT": "double", "BYTES": "string"}
    fields = [{"name": c.name, "type": ["null", kinds[c.kind]]} for c in COLUMNS]
    others["tfrecord"] = str(tmp_path / "data.tfrecord")
    Path(others["tfrecord"]).write_bytes(
        b"".join(framed(example(_features(row))) for row in typed.to_pylist())
    )
    with open(others["avro"], "wb") as file:
        fastavro.writer(
            file, {"type": "record", "name": "row", "fields": fields}, typed.to_pylist()
        )
    for kind, path in others.items():
        other, other_counts = run(path, settings=settings, format=kind)
        assert other_counts == counts
        assert contents(other) == contents(first)
        assert [(r["line"], r["column"], r["reason"]) for r in rejects(other)] == lines


def test_rejected_rows_of_parquet_are_kept_with_their_number(write_parquet, run):
    paths = []
    for name in ("b.parquet", "a.parquet"):
        table = rows(0, 20)
        table[7]["tips"] = "nan"
        table[11]["fare"] = "-inf"
        paths.append(write_parquet(table, name=name))
    root, counts = run(*paths, format="parquet")
    assert counts.rejected_by_reason == {"missing_label": 2, "not_finite": 2}
    nan = '{"id": 7, "fare": 7.25, "company": "c0", "tips": null}'
    inf = '{"id": 11, "fare": "-inf", "company": "c4", "tips": 1.0}'
    assert rejects(root) == [
        _reject(path, *values)
        for path in paths
        for values in (
            (8, "tips", "nan", "missing_label", nan),
            (12, "fare", "-inf", "not_finite", inf),
        )
    ]


@pytest.mark.parametrize(
    "label",
    [
        LABEL,
        Binary.model_validate({"name": "y", "equals": {"column": "tips", "values": [1]}}),
        Multiclass.model_validate({"column": "tips"}),
        Regression.model_validate({"column": "tips"}),
    ],
    ids=lambda label: label.in_words(),
)
def test_a_row_without_a_label_ends_the_run_where_it_should(write, run, tmp_path, label):
    table = rows(0, 50)
    table[7]["tips"], table[9]["tips"] = "", "nan"
    path = write(table)
    with pytest.raises(DataError, match="2 records have no label") as caught:
        run(path, label=label.model_copy(update={"missing": "stop"}))
    assert f"{path}:9 tips = ''; {path}:11 tips = 'nan'" in str(caught.value)
    assert nothing_is_left(tmp_path)


def test_regression_labels_that_are_not_finite_are_rejected_and_never_filled(write, run):
    table = rows(0, 300)
    for row, text in enumerate(["", "nan", "inf", "-inf", "1e39", "-0.0", "3"]):
        table[row]["tips"] = text
    root, counts = run(write(table), label=Regression.model_validate({"column": "tips"}))
    assert counts.rejected_by_reason == {"not_finite": 3, "missing_label": 2}
    kept = pa.concat_tables([read(root, split) for split in SPLITS])["tips"].to_numpy()
    assert sorted(kept) == [0.0, *[1.0] * 293, 3.0]


def test_rejected_lines_of_json_are_kept_as_they_are(write_lines, run):
    path = write_lines(rows(0, 20))
    with open(path, "ab") as file:
        file.write(b'\n\n{"id": 1, "tips": "1"}\n{"id": 2\n')
    root, counts = run(path, format="jsonl")
    assert counts.rejected_by_reason == {"not_a_number": 1, "not_json": 1}
    assert rejects(root) == [
        _reject(path, 22, "tips", "1", "not_a_number", '{"id": 1, "tips": "1"}'),
        _reject(path, 23, None, None, "not_json", '{"id": 2'),
    ]


def test_a_parquet_column_of_another_type_is_named(tmp_path, run):
    path = str(tmp_path / "data.parquet")
    pq.write_table(pa.table({"id": ["1"], "fare": [1.0], "company": ["a"], "tips": [1.0]}), path)
    with pytest.raises(DataError, match="the column 'id' is string") as caught:
        run(path, format="parquet")
    assert caught.value.where == path
    assert nothing_is_left(tmp_path)


def test_progress_reports_rows_and_ignored_columns(write, run, caplog, monkeypatch):
    monkeypatch.setattr(LOGGER, "propagate", True)
    path = write(
        [{**r, "vin": "1", "note": "2"} for r in rows(0, 30)], names=[*NAMES, "vin", "note"]
    )
    with caplog.at_level(logging.INFO, logger=LOGGER.name):
        run(path)
    events = [r.event for r in caplog.records if r.name == LOGGER.name]
    assert {e.stage for e in events} == {"ingest"}
    assert sum(e.rows for e in events) == 30
    assert [dict(e.values) for e in events if e.kind == "note"] == [
        {"ignored_columns": "note, vin"}
    ]


def nothing_is_left(tmp_path):
    return not [p for p in os.listdir(tmp_path) if p.startswith("examples")]


def test_a_run_leaves_nothing_beside_the_output(write, run, tmp_path):
    run(write(rows(0, 20)))
    assert sorted(os.listdir(tmp_path)) == ["data.csv", "examples-0"]


def test_no_files_at_all(run):
    with pytest.raises(DataError, match="no file matches") as caught:
        run()
    assert caught.value.where == "*.csv"


def test_files_with_nothing_but_headers(write, run, tmp_path):
    with pytest.raises(DataError, match="has no records"):
        run(write([]), write([], name="b.csv"))
    assert nothing_is_left(tmp_path)


def test_a_missing_file_is_named(write, run, tmp_path):
    missing = str(tmp_path / "missing.csv")
    with pytest.raises(DataError, match="No such file") as caught:
        run(write(rows(0, 5)), missing)
    assert caught.value.where == missing


def test_examples_are_the_same_bits_in_however_many_ranges_a_file_is_read(write, run, monkeypatch):
    table = [*rows(0, 300), {**rows(0, 1)[0], "id": "x"}, *rows(300, 200)]
    path = write([{**row, "company": f"a\n{row['id']}"} for row in table])
    whole, counts = run(path)
    small = functools.partial(find_ranges, range_bytes=2_000, block_bytes=1_000)
    monkeypatch.setattr(csv_source, "find_ranges", small)
    ranges, again = run(path)
    assert again == counts
    assert digests(ranges) == digests(whole)


def test_no_training_example_is_left(write, run, tmp_path):
    table = [{**row, "id": "x"} for row in rows(0, 20)]
    with pytest.raises(DataError, match="no training example is left of 20 records") as caught:
        run(write(table))
    assert "20 not_an_integer: " in caught.value.what
    assert "data.csv:2 id = 'x'" in caught.value.what
    assert nothing_is_left(tmp_path)


def test_an_error_within_a_worker_is_raised_as_it_was(write, run, tmp_path, monkeypatch):
    path = write(rows(0, 20))

    def vanish(path, *how):
        os.remove(path)
        return read_records(path, *how)

    monkeypatch.setattr(csv_source, "read_records", vanish)
    with pytest.raises(DataError, match=r"cannot be read: .*No such file") as caught:
        run(path)
    assert caught.value.where == path
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize("writer", [PieceWriter, ShardWriter])
def test_a_full_disk_leaves_nothing(write, run, tmp_path, monkeypatch, writer):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writer, "write", full)
    with pytest.raises(DataError, match="No space left on device") as caught:
        run(write(rows(0, 20)))
    assert caught.value.where == str(tmp_path)
    assert nothing_is_left(tmp_path)


def test_a_failure_while_publishing_leaves_nothing(write, run, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Counts, "write", full)
    with pytest.raises(DataError, match="No space left on device"):
        run(write(rows(0, 20)))
    assert nothing_is_left(tmp_path)


def test_faults_of_the_program_keep_their_traceback(write, run, tmp_path, monkeypatch):
    monkeypatch.setattr(parse, "parse", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(write(rows(0, 20)))
    assert nothing_is_left(tmp_path)


def test_an_unwritable_place_is_named(write, run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="the examples cannot be written") as caught:
        run(write(rows(0, 5)), output=str(tmp_path / "file/examples"))
    assert caught.value.where == str(tmp_path / "file/examples")


def test_an_empty_output_folder_is_filled_and_a_full_one_is_not(write, run, tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    path = write(rows(0, 20))
    run(path, output=f"{output}/")
    before = json.loads((output / "counts.json").read_text())
    with pytest.raises(DataError, match="not empty") as caught:
        run(path, output=str(output))
    assert caught.value.where == str(output)
    assert json.loads((output / "counts.json").read_text()) == before


def test_an_invalid_delimiter(write, run):
    with pytest.raises(ConfigError, match="cannot be a delimiter"):
        run(write(rows(0, 5)), delimiter='"')


def test_a_split_by_time_reads_the_rows_twice_and_drops_its_gap(write, run):
    table = rows(0, 400)
    table[5]["id"] = ""
    path = write(table[::-1])
    uri, counts = run(path, splits=Time(column="id", gap="10"))

    assert counts.records_read == 400
    assert counts.rejected_by_reason == {"missing_split": 1}
    assert counts.dropped_by_rule == {"splits.gap": 20}
    assert counts.examples == {"train": 269, "eval": 50, "test": 60}
    ids = {split: ids_of(uri, split) for split in SPLITS}
    assert max(ids["train"]) + 10 < min(ids["eval"])
    assert max(ids["eval"]) + 10 < min(ids["test"])


def ids_of(uri, split):
    return [i for batch in iter_batches(uri, split, ["id"]) for i in batch.column(0).to_pylist()]


def test_a_value_that_is_in_no_split_ends_the_run(write, run):
    split = ColumnSplit(column="company", train=["c0", "c1", "c2"], eval=["c3"], test=["c4"])
    with pytest.raises(DataError, match=r"'company' has the value 'c[56]', which is in no split"):
        run(write(rows(0, 100)), splits=split)
