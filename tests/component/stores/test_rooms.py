"""Rooms give the same results for data in a store as for data on a disk."""

import gzip
import itertools
import os
import time

import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from components import files
from components.evaluate.published import SAVED_MODEL, content_digest, versions
from components.examples import iter_batches, row_groups
from components.ingest.ingest import ingest
from components.push.push import push
from components.validate import log_files, request_logs
from pipeline import cli
from schemas.columns import Column
from schemas.errors import ConfigError, ModelError, SkewlessError, StoreError
from schemas.examples import Examples
from schemas.sources.csv import Csv
from schemas.splits.hash import Hash
from schemas.splits.options import SPLITS
from schemas.tasks.binary import Binary
from tests.emulators import in_amazon, in_google

pytestmark = pytest.mark.component

COLUMNS = (
    Column("id", "INT", True),
    Column("company", "BYTES", True),
    Column("tips", "FLOAT", False),
)
LABEL = Binary.model_validate(
    {"name": "y", "exceeds": {"column": "tips", "fraction": 0.2, "of": "id"}}
)


def csv_rows(first: int) -> str:
    rows = (f"{i},c{i % 7},{i}.5" for i in range(first, first + 300))
    return "\n".join(["id,company,tips", *rows, "not a number,c,1", ""])


def examples_of(paths, output):
    counts = ingest(
        source=Csv(path="*"),
        paths=paths,
        columns=COLUMNS,
        splits=Hash(key=("id",)),
        label=LABEL,
        settings=Examples(batch_rows=128, shard_rows=200),
        output=output,
    )
    tables = {
        split: pa.Table.from_batches(list(iter_batches(output, split))).to_pydict()
        for split in SPLITS
    }
    return counts, tables, [(g.index, g.rows) for s in SPLITS for g in row_groups(output, s)]


def test_csv_in_a_store_gives_the_same_examples_there(store, tmp_path):
    files.write_whole(str(tmp_path / "data/a.csv"), csv_rows(0))
    files.write_whole(str(tmp_path / "data/b.csv.gz"), gzip.compress(csv_rows(1000).encode()))
    files.copy_tree(str(tmp_path / "data"), f"{store}/data")
    here = [entry.path for entry in files.find(f"{tmp_path}/data/*")]
    there = [entry.path for entry in files.find(f"{store}/data/*")]
    assert [os.path.basename(p) for p in here] == [os.path.basename(p) for p in there]
    counts, *expected = examples_of(here, str(tmp_path / "examples"))
    assert (counts.records_read, counts.records_rejected) == (602, 2)
    assert [counts, *expected] == list(examples_of(there, f"{store}/examples"))
    assert files.walk(f"{store}/examples") == files.walk(str(tmp_path / "examples"))
    assert files.names(store) == ["data", "examples"]  # and nothing else


def test_parquet_in_a_store_is_scored_into_it(store, exported, tmp_path):
    from components.score.batch import predict
    from components.score.output import ScoreOutput

    names = [c.name for c in exported.columns if c.serving]
    batch = next(iter_batches(exported.examples, "test", names))
    pq.write_table(pa.Table.from_batches([batch]), tmp_path / "rows.parquet")
    files.copy_file(str(tmp_path / "rows.parquet"), f"{store}/rows.parquet")
    files.copy_tree(exported.saved_model, f"{store}/model")
    scores = {}
    for model, root in ((exported.saved_model, str(tmp_path)), (f"{store}/model", store)):
        output = ScoreOutput.of(f"{root}/scores.parquet", None, overwrite=False)
        done = predict(model=model, paths=[f"{root}/rows.parquet"], output=output)
        assert done.files == (f"{root}/scores.parquet",)
        table = pq.read_table(files.arrow_source(done.files[0]))
        scores[root] = table.drop(["source"]).to_pydict()
    assert scores[store] == scores[str(tmp_path)]
    folder = ScoreOutput.of(f"{store}/scores", "csv", overwrite=False)
    predict(model=exported.saved_model, paths=[f"{store}/rows.parquet"], output=folder)
    assert files.walk(folder.path) == ["part-00000-of-00001.csv", "summary.json"]
    with pytest.raises(SkewlessError, match="exists already"):
        ScoreOutput.of(folder.path, None, overwrite=False)
    folder = ScoreOutput.of(folder.path, "jsonl", overwrite=True)
    predict(model=exported.saved_model, paths=[f"{store}/rows.parquet"], output=folder)
    assert files.walk(folder.path) == ["part-00000-of-00001.jsonl", "summary.json"]
    files.write_whole(f"{store}/scores/sub/thesis.tex", "my only copy")
    with pytest.raises(SkewlessError, match=r"contains other files: sub/thesis\.tex"):
        ScoreOutput.of(folder.path, "jsonl", overwrite=True)
    for path in (f"{store}/rows.parquet", store, f"{store}/"):
        with pytest.raises(SkewlessError, match="to be scored"):
            ScoreOutput.of(path, None, overwrite=True, inputs=[f"{store}/rows.parquet"])
    assert files.is_file(f"{store}/rows.parquet")


@in_amazon
def test_files_that_come_to_a_store_are_scored_there(store, exported, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    names = [c.name for c in exported.columns if c.serving]
    rows = pa.Table.from_batches([next(iter_batches(exported.examples, "test", names))])
    pv.write_csv(rows, tmp_path / "rows.csv")
    files.copy_file(str(tmp_path / "rows.csv"), f"{store}/in/rows.csv")
    files.copy_tree(exported.saved_model, f"{store}/run/serving/1")
    command = ["stream", f"{store}/run", "--input", f"{store}/in/*.csv", "--look", "0.1"]
    command += ["--output", f"{store}/out", "--dead-letters", f"{store}/dead"]
    assert cli.main([*command, "--stop-after", "0.3"]) == 0
    (name,) = files.names(f"{store}/out")
    table = pq.read_table(files.arrow_source(f"{store}/out/{name}"))
    assert table.num_rows == rows.num_rows
    assert files.names(store) == ["in", "out", "run"]  # no dead letters


@in_google
def test_requests_are_read_from_logs_in_a_store(store, tmp_path):
    log = prediction_log_pb2.PredictionLog()
    inputs = log.predict_log.request.inputs
    inputs["id"].CopyFrom(tf.make_tensor_proto([1.0, 2.0]))
    inputs["company"].CopyFrom(tf.make_tensor_proto([b"a", b"b"]))
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        writer.write(log.SerializeToString())
    files.write_whole(str(tmp_path / "other"), "no log")
    for name in ("a.tfrecord", "other"):
        files.copy_file(str(tmp_path / name), f"{store}/logs/{name}")
    paths = log_files.find([f"{store}/logs"])
    assert paths == [f"{store}/logs/a.tfrecord"] == log_files.find(paths)
    read = request_logs.to_examples(paths, COLUMNS[:2], str(tmp_path / "examples"))
    assert (read.files, read.records, read.rows) == (1, 1, 2)
    with pytest.raises(ConfigError, match="there is no file or folder"):
        log_files.find([f"{store}/none"])


@pytest.fixture
def model(tmp_path):
    """Write a folder that looks like a SavedModel; return its path."""

    def make(graph: str) -> str:
        folder = str(tmp_path / graph)
        files.write_whole(os.path.join(folder, SAVED_MODEL), graph)
        files.write_whole(os.path.join(folder, "variables/variables.index"), f"of {graph}")
        return folder

    return make


def test_models_are_pushed_into_a_store(store, model):
    first = push(model("one"), store, lambda: {"model.json": "{}"})
    assert (first.version, first.path, first.new) == (1, f"{store}/1", True)
    assert files.walk(store) == [
        f"1/{n}" for n in ("model.json", SAVED_MODEL, "variables/variables.index")
    ]
    assert content_digest(first.path) == content_digest(model("one"))
    assert not push(model("one"), store).new
    second = push(model("two"), store)
    assert versions(store) == {1: f"{store}/1", 2: second.path}


def test_a_push_that_dies_leaves_no_version_and_no_lasting_claim(store, model, monkeypatch):
    push(model("one"), store)
    copy_file = files.copy_file

    def dying(source, target):
        if target == f"{store}/2/{SAVED_MODEL}":
            raise KeyboardInterrupt
        copy_file(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(files, "copy_file", dying)
        patch.setattr(files, "remove", lambda path: None)  # as if killed: nothing is cleaned up
        with pytest.raises(KeyboardInterrupt):
            push(model("two"), store)
    assert versions(store) == {1: f"{store}/1"}
    assert files.is_file(f"{store}/2/variables/variables.index")
    with pytest.raises(SkewlessError, match="another push is at work"):
        push(model("three"), store)
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 3600 * 10**9)  # its claim has expired
    assert push(model("three"), store).version == 2
    assert files.read_text(f"{store}/2/variables/variables.index") == "of three"


def test_a_push_that_fails_leaves_the_versions_as_they_were(store, model, monkeypatch):
    push(model("one"), store)
    calls = itertools.count()
    copy_file = files.copy_file

    def failing(source, target):
        if target.startswith(store) and next(calls):
            raise StoreError("the store does not answer")
        copy_file(source, target)

    monkeypatch.setattr(files, "copy_file", failing)
    with pytest.raises(StoreError):
        push(model("two"), store)
    assert sorted({name.split("/")[0] for name in files.walk(store)}) == ["1"]


def test_a_model_that_a_verdict_is_not_about_is_not_pushed(store, model):
    digest = content_digest(model("one"))
    push(model("one"), store, verdicts={"blessing": digest, "proof": digest})
    before = files.walk(store)
    with pytest.raises(ModelError, match="is not the one that was judged"):
        push(model("two"), store, verdicts={"blessing": digest, "proof": digest})
    assert files.walk(store) == before
