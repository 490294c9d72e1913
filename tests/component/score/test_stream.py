"""Streams: event time, ordering keys and attributes are kept, dead letters are separate."""

import json
import os
import time

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.ml.inference.base import PredictionResult
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing import test_stream
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms import window
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import PaneInfo, PaneInfoTiming

from components.evaluate.signature import LoadedSignature
from components.examples import as_raw_columns
from components.score.columns import read_signature
from components.score.counts import SCORED
from components.score.message_sinks import WriteMessageFiles, _WriteLines
from components.score.messages import Letters, answers
from components.score.model_handler import SavedModelHandler
from components.score.new_files import (
    Chunk,
    ScoreNewFiles,
    WriteRejectFiles,
    WriteScoredFiles,
    rows_as_messages,
)
from components.score.sources import Wanted
from components.score.stream import ScoreMessages
from schemas import description
from schemas.sources.csv import Csv
from tests.component.score.conftest import push
from tests.described import described

pytestmark = pytest.mark.component


def streaming():
    # Beam's runner that supports TestStream and real-time timers
    return beam.Pipeline(options=PipelineOptions(["--runner=DirectRunner", "--streaming"]))


# Beam's batches wait in real time, which begins in 1970 in a TestStream.
LATER = 10 * int(time.time())


def message(row, *, key="", **attributes):
    document = row if isinstance(row, bytes) else json.dumps(row).encode()
    return PubsubMessage(document, attributes, ordering_key=key)


@pytest.fixture(scope="module")
def row(rows):
    """A row as JSON, in which missing values are omitted."""
    return {k: v for k, v in rows.to_pylist()[0].items() if v is not None}


@pytest.fixture(scope="module")
def score(exported, rows):
    """The score of the row when it is scored alone."""
    inputs = [c for c in exported.columns if c.serving]
    (batch,) = rows.slice(0, 1).to_batches()
    outputs = LoadedSignature(exported.saved_model, "predict")(as_raw_columns(batch, inputs))
    return round(float(outputs["score"][0]), 6)


def with_time(message, time=beam.DoFn.TimestampParam):
    document = json.loads(message.data)
    score = round(float(np.float32(document["score"])), 6)
    return document.get("id"), score, message.ordering_key, dict(message.attributes), float(time)


def buried(message, time=beam.DoFn.TimestampParam):
    return message.data, dict(message.attributes), message.ordering_key, float(time)


def score_messages(handler, saved_model, **options):
    return ScoreMessages(handler, read_signature(str(saved_model)).inputs, keys=["id"], **options)


def test_messages_keep_time_order_key_and_attributes(exported, row, score):
    stream = (
        test_stream.TestStream()
        .add_elements(
            [
                window.TimestampedValue(message(row | {"id": 1}, key="u1", source="web"), 100.5),
                window.TimestampedValue(message(row | {"id": [2, None]}, key="u2"), 90),
            ]
        )
        .advance_watermark_to(200)
        .add_elements([window.TimestampedValue(message(row), 150.25)])
        .advance_processing_time(LATER)
        .advance_watermark_to_infinity()
    )
    handler = SavedModelHandler(exported.saved_model)
    with streaming() as pipeline:
        scored = pipeline | stream | score_messages(handler, exported.saved_model)
        version = {"model_version": os.path.basename(exported.saved_model)}
        expected = [
            (1, score, "u1", {"source": "web", **version}, 100.5),
            ([2, None], score, "u2", version, 90.0),
            (None, score, "", version, 150.25),
        ]
        assert_that(scored.answers | beam.Map(with_time), equal_to(expected))
        assert_that(scored.dead_letters, equal_to([]), label="NoDeadLetters")


DEAD = {
    b"{": {"dead_letter_reason": "not_json"},
    b"[1]": {"dead_letter_reason": "not_an_object"},
    b'{"age": "7"}': {
        "dead_letter_reason": "not_an_integer",
        "dead_letter_column": "age",
        "dead_letter_value": "7",
    },
    b'{"age": 9007199254740993}': {
        "dead_letter_reason": "integer_beyond_2_53",
        "dead_letter_column": "age",
        "dead_letter_value": "9007199254740993",
    },
}


def test_answers_have_probabilities_by_class_and_the_keys_first(tmp_path):
    version = tmp_path / "7"
    version.mkdir()
    (version / description.FILE_NAME).write_text(
        described(classes=("ham", "spam")).model_dump_json()
    )
    outputs = pa.record_batch([pa.array([[0.25, 0.75]], pa.list_(pa.float32()))], ["probabilities"])
    scored = (PredictionResult(None, outputs, str(version)),)
    letters = Letters(((message({}, key="k"), Timestamp(5)),), ('{"id":1,',), scored)
    ((answer, when),) = answers(letters)
    assert json.loads(answer.data) == {"id": 1, "probabilities": {"ham": 0.25, "spam": 0.75}}
    assert (answer.attributes, when) == ({"model_version": "7"}, Timestamp(5))
    rows = rows_as_messages(
        Chunk("rows.csv", 0, pa.record_batch([pa.array([2])], ["line"]), scored), outputs
    )
    assert [json.loads(row.data)["probabilities"]["spam"] for row in rows] == [0.75]


def test_messages_that_cannot_be_scored_are_dead_letters(exported, row, score):
    dead = [window.TimestampedValue(message(data, key="k", source="web"), 7) for data in DEAD]
    stream = (
        test_stream.TestStream()
        .add_elements([*dead, window.TimestampedValue(message(row), 8)])
        .advance_processing_time(LATER)
        .advance_watermark_to_infinity()
    )
    handler = SavedModelHandler(exported.saved_model)
    with streaming() as pipeline:
        scored = pipeline | stream | score_messages(handler, exported.saved_model)
        assert_that(
            scored.dead_letters | beam.Map(buried),
            equal_to([(data, {"source": "web", **why}, "k", 7.0) for data, why in DEAD.items()]),
        )
        assert_that(
            scored.answers | beam.Map(with_time) | beam.Map(lambda answer: answer[1]),
            equal_to([score]),
            label="TheOther",
        )


def test_a_version_pushed_mid_stream_answers_from_then_on(exported_again, serving, row):
    stream = (
        test_stream.TestStream()
        .add_elements([window.TimestampedValue(message({"id": "push", **row}), 1)])
        .advance_watermark_to(10)
        .add_elements([window.TimestampedValue(message({"id": "after", **row}), 11)])
        .advance_watermark_to_infinity()
    )

    def push_once(answer):
        if not (serving / "2").exists():
            push(exported_again, serving, 2)
        return json.loads(answer.data)["id"], answer.attributes["model_version"]

    handler = SavedModelHandler(str(serving / "1"), follow=str(serving), follow_seconds=0.0)
    with streaming() as pipeline:
        # only the messages of a bundle, so that the first is answered before the second comes
        scored = pipeline | stream | score_messages(handler, serving / "1", max_seconds=None)
        versions = scored.answers | beam.Map(push_once)
        assert_that(versions, equal_to([("push", "1"), ("after", "2")]))


def test_messages_are_filed_by_window_and_late_ones_apart(exported, row, tmp_path):
    stream = (
        test_stream.TestStream()
        .add_elements(
            [
                window.TimestampedValue(message({"id": number, **row}, key="k"), time)
                for number, time in ((1, 30), (2, 61), (3, 10))
            ]
        )
        .advance_watermark_to(130)
        .add_elements([window.TimestampedValue(message({"id": 4, **row}), 20)])
        .advance_watermark_to_infinity()
    )
    with streaming() as pipeline:
        scored = (
            pipeline
            | stream
            | score_messages(
                SavedModelHandler(exported.saved_model), exported.saved_model, max_seconds=None
            )
        )
        _ = scored.answers | WriteMessageFiles(str(tmp_path / "out"))
    found = {
        path.name.rpartition("-")[0]: [json.loads(line) for line in path.read_text().splitlines()]
        for path in (tmp_path / "out").iterdir()
    }
    ids = {name: [line["data"]["id"] for line in lines] for name, lines in found.items()}
    first, second = (
        "19700101T000000.000000-19700101T000100",
        "19700101T000100.000000-19700101T000200",
    )
    assert ids == {
        f"{first}.000000-00000": [3, 1],
        f"{first}.000000-00001": [4],
        f"{second}.000000-00000": [2],
    }
    line = found[f"{second}.000000-00000"][0]
    assert (line["event_time"], line["ordering_key"]) == ("1970-01-01T00:01:01.000000Z", "k")


def test_a_restarted_stream_replaces_no_file_of_messages(tmp_path):
    """Pub/Sub sends unacknowledged messages again, into a window that has a file already."""
    write = _WriteLines(str(tmp_path), SCORED)
    span = window.IntervalWindow(0, 60)
    first = b'{"event_time":"1970-01-01T00:00:01Z"}\n'
    for lines in ([first], [b'{"event_time":"1970-01-01T00:00:02Z"}\n'], [first]):
        list(write.process((None, lines), span, PaneInfo(True, True, PaneInfoTiming.ON_TIME, 0, 0)))
    assert len(list(tmp_path.iterdir())) == 2


def test_new_files_are_scored_once_with_their_rejects_apart(exported, rows, csv_file, tmp_path):
    """With real files, through MatchContinuously, which looks several times before it stops."""
    incoming = tmp_path / "in"
    incoming.mkdir()
    text = csv_file.read_text()
    (incoming / "good.csv").write_text(text)
    (incoming / "bad.csv").write_text(text + "1,2\n")
    (incoming / "none.csv").write_text("what,ever\n")
    lines = [json.dumps({"id": i, **row}) for i, row in enumerate(rows.to_pylist())]
    (incoming / "lines.jsonl").write_text("\n".join([*lines, '{"age": []}']))
    os.utime(incoming / "good.csv", (1_000, 1_000))
    inputs = read_signature(exported.saved_model).inputs
    with beam.Pipeline(
        options=PipelineOptions(["--runner=FnApiRunner", "--streaming"])
    ) as pipeline:
        files = pipeline | ScoreNewFiles(
            str(incoming / "*"),
            SavedModelHandler(exported.saved_model),
            Wanted(inputs, ("id",), Csv(path="")),
            seconds=0.1,
            stop=Timestamp.now() + 0.5,
        )
        _ = files.scored | WriteScoredFiles(str(tmp_path / "out"), "parquet")
        _ = files.rejects | WriteRejectFiles(str(tmp_path / "dead"))
        assert_that(
            files.scored
            | beam.MapTuple(
                lambda chunk, _, time=beam.DoFn.TimestampParam: (
                    os.path.basename(chunk.path),
                    float(time) == 1_000,
                )
            ),
            equal_to([("good.csv", True), ("bad.csv", False), ("lines.jsonl", False)]),
        )
    scored = {p.name.split("-")[0]: pq.read_table(p) for p in (tmp_path / "out").iterdir()}
    assert sorted(scored) == ["bad", "good", "lines"]
    assert {table.num_rows for table in scored.values()} == {40}
    assert scored["lines"].column("score").equals(scored["good"].column("score"))
    assert scored["good"].column_names[:2] == ["id", "score"]
    dead = [pq.read_table(p).to_pylist()[0] for p in sorted((tmp_path / "dead").iterdir())]
    reasons = ["wrong_field_count", "not_an_integer", "unreadable_file"]
    assert [row["reason"] for row in dead] == reasons
    assert (dead[1]["line"], dead[1]["value"], dead[1]["record"]) == (41, "[]", '{"age": []}')
    assert "not in the file's header" in dead[2]["record"]
