"""The handler in separate pipelines: Beam's RunInference on real SavedModels."""

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.internal import pickler
from apache_beam.ml.inference.base import KeyedModelHandler, ModelMetadata, RunInference
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing import test_stream
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms import trigger, window

from components.evaluate.published import content_digest
from components.evaluate.signature import LoadedSignature
from components.examples import as_raw_columns, column
from components.score import model_handler
from components.score.model_handler import RowHandler, SavedModelHandler, version_pattern
from components.score.scorer import FollowingScorer, KeptModels, Scorer
from schemas.errors import DataError, ModelError
from tests.component.score.conftest import push
from tests.described import described

pytestmark = pytest.mark.component
FN_API = ["--runner=FnApiRunner"]


def batch_of(rows):
    return rows.combine_chunks().to_batches()[0]


def scores(result):
    return column(result.inference, "score").to_pylist()


def near(key_and_scores):
    """Drop the last bits, which may differ with the number of rows in a batch."""
    key, values = key_and_scores
    return key, [round(value, 4) for value in values]


@pytest.fixture(scope="module")
def expected(exported, rows):
    """What evaluation computes for the rows."""
    inputs = [c for c in exported.columns if c.serving]
    signature = LoadedSignature(exported.saved_model, "raw_columns")
    return signature(as_raw_columns(batch_of(rows), inputs))["scores"].tolist()


def test_batches_get_the_scores_of_evaluation_bit_by_bit(exported, rows, expected):
    batch = batch_of(rows)
    with beam.Pipeline(options=PipelineOptions(FN_API)) as pipeline:
        found = (
            pipeline
            | beam.Create([batch])
            | RunInference(SavedModelHandler(exported.saved_model))
            | beam.Map(scores)
        )
        assert_that(found, equal_to([expected]))


def test_keys_stay_with_their_batches(exported, rows, expected):
    batch = batch_of(rows)
    with beam.Pipeline(options=PipelineOptions(FN_API)) as pipeline:
        found = (
            pipeline
            | beam.Create([("a", batch.slice(0, 1)), ("b", batch.slice(1, 1))])
            | RunInference(KeyedModelHandler(SavedModelHandler(exported.saved_model)))
            | beam.MapTuple(lambda key, result: near((key, scores(result))))
        )
        assert_that(found, equal_to([near(("a", expected[:1])), near(("b", expected[1:2]))]))


def test_rows_one_by_one_get_the_same_scores(exported, rows, expected):
    some = [{k: v for k, v in row.items() if v is not None} for row in rows.to_pylist()]
    with beam.Pipeline(options=PipelineOptions(FN_API)) as pipeline:
        found = (
            pipeline
            | beam.Create(some)
            | RunInference(RowHandler(exported.saved_model, min_batch_size=4))
            | beam.Map(lambda result: round(result.inference["score"], 5))
        )
        assert_that(found, equal_to([round(score, 5) for score in expected]))


def test_a_copy_can_be_shared_by_processes(exported, rows, expected):
    with beam.Pipeline(options=PipelineOptions(FN_API)) as pipeline:
        found = (
            pipeline
            | beam.Create([batch_of(rows)])
            | RunInference(SavedModelHandler(exported.saved_model, large_model=True))
            | beam.Map(scores)
        )
        assert_that(found, equal_to([expected]))


def test_a_version_pushed_mid_stream_is_taken_from_a_side_input(exported_again, serving, rows):
    """The side input is that of WatchFilePattern: the path of saved_model.pb."""
    push(exported_again, serving, 2)
    versions = [ModelMetadata(str(serving / v / "saved_model.pb"), v) for v in ("1", "2")]
    stream = (
        test_stream.TestStream()
        .add_elements([versions[0]], tag="versions")
        .advance_watermark_to(10, tag="versions")
        .add_elements([window.TimestampedValue(batch_of(rows), 5)], tag="batches")
        .advance_watermark_to(10, tag="batches")
        .add_elements([window.TimestampedValue(versions[1], 15)], tag="versions")
        .advance_watermark_to(20, tag="versions")
        .add_elements([window.TimestampedValue(batch_of(rows), 15)], tag="batches")
        .advance_watermark_to_infinity(tag="versions")
        .advance_watermark_to_infinity(tag="batches")
    )
    options = PipelineOptions(["--runner=DirectRunner", "--streaming"])
    with beam.Pipeline(options=options) as pipeline:
        both = pipeline | stream
        side = both["versions"] | "VersionWindows" >> beam.WindowInto(
            window.FixedWindows(10),
            trigger=trigger.Repeatedly(trigger.AfterCount(1)),
            accumulation_mode=trigger.AccumulationMode.DISCARDING,
        )
        found = (
            both["batches"]
            | "BatchWindows" >> beam.WindowInto(window.FixedWindows(10))
            | RunInference(SavedModelHandler(str(serving / "1")), model_metadata_pcoll=side)
            | beam.Map(lambda result: result.model_id)
        )
        assert_that(found, equal_to([str(serving / "1"), str(serving / "2")]))


@pytest.fixture
def loaded(monkeypatch):
    """Count what is loaded, by folder, instead of loading it."""
    loads = []

    class Counted:
        def __init__(self, saved_model, signature=None):
            loads.append(saved_model)

    monkeypatch.setattr(model_handler, "Scorer", Counted)
    monkeypatch.setattr(model_handler, "_kept", KeptModels(2))
    return loads


def anew(handler):
    """Return a handler as a worker receives it for its next bundle."""
    return pickler.loads(pickler.dumps(handler))


def test_a_new_worker_for_a_bundle_finds_the_model(loaded):
    handler = SavedModelHandler("serving/1")
    models = {id(anew(handler).load_model()) for _ in range(3)}
    assert (len(models), loaded) == (1, ["serving/1"])

    SavedModelHandler("serving/1").load_model()  # of another pipeline: it may have changed
    assert loaded == ["serving/1"] * 2


def test_an_update_replaces_the_earlier_model(loaded):
    handler = SavedModelHandler("serving/1")
    old = weakref.ref(handler.load_model())
    for version in "23":
        updated = anew(handler)
        updated.update_model_path(f"serving/{version}/saved_model.pb")
        model = updated.load_model()
        assert updated.load_model() is model
    assert loaded == ["serving/1", "serving/2", "serving/3"]
    gc.collect()
    assert old() is None


def test_threads_that_ask_at_once_share_one_model(loaded):
    handler, together = SavedModelHandler("serving/1"), threading.Barrier(8)

    def load():
        together.wait()
        return anew(handler).load_model()

    with ThreadPoolExecutor(8) as pool:
        models = {id(f.result()) for f in [pool.submit(load) for _ in range(8)]}
    assert (len(models), loaded) == (1, ["serving/1"])


def test_copies_for_several_processes_are_copies(loaded):
    handler = SavedModelHandler("serving/1", large_model=True, model_copies=2)
    assert handler.load_model() is not handler.load_model()


def test_a_runner_that_makes_workers_for_each_bundle_loads_once(exported, rows, monkeypatch):
    loads = []
    honest = Scorer.__init__

    def counted(self, *arguments):
        loads.append(arguments)
        honest(self, *arguments)

    monkeypatch.setattr(Scorer, "__init__", counted)
    stream = test_stream.TestStream()
    for second in range(3):
        stream = stream.add_elements([window.TimestampedValue(batch_of(rows), second)])
        stream = stream.advance_watermark_to(second + 1)
    runner = "apache_beam.runners.direct.direct_runner.BundleBasedDirectRunner"
    options = PipelineOptions([f"--runner={runner}", "--streaming"])
    with beam.Pipeline(options=options) as pipeline:
        found = (
            pipeline
            | stream.advance_watermark_to_infinity()
            | RunInference(SavedModelHandler(exported.saved_model))
            | beam.Map(lambda result: result.model_id)
        )
        assert_that(found, equal_to([exported.saved_model] * 3))
    assert len(loads) == 1


def test_the_folder_is_followed_between_batches(exported_again, serving, rows):
    scorer = FollowingScorer(str(serving / "1"), None, str(serving), seconds=0.0)
    before, by = scorer.score(batch_of(rows))
    assert by == str(serving / "1")
    push(exported_again, serving, 2)
    after, by = scorer.score(batch_of(rows))
    assert by == str(serving / "2")
    assert after != before  # it has other weights


def test_the_pattern_passes_over_a_version_that_is_being_copied(serving):
    from apache_beam.io.filesystems import FileSystems

    (serving / ".push.incoming").mkdir()
    (serving / ".push.incoming" / "saved_model.pb").touch()
    (found,) = FileSystems.match([version_pattern(str(serving))])
    assert [m.path for m in found.metadata_list] == [str(serving / "1" / "saved_model.pb")]


def test_other_types_are_cast_and_other_columns_ignored(exported, rows, expected):
    table = rows.append_column("more", pa.array(range(rows.num_rows)))
    ages = table.column("age").cast(pa.int32())
    table = table.set_column(table.column_names.index("age"), "age", ages)
    names = table.column("naïve").dictionary_encode()
    table = table.set_column(table.column_names.index("naïve"), "naïve", names)
    outputs, _ = Scorer(exported.saved_model, "raw_columns").score(batch_of(table))
    assert outputs.column(outputs.schema.get_field_index("scores")).to_pylist() == expected


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop(["age"]), "there are 0 columns 'age'"),
        (
            lambda t: t.set_column(0, "age", pa.array(["x"] * t.num_rows)),
            "'age' of type string does not fit INT",
        ),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(exported, rows, change, words):
    scorer = Scorer(exported.saved_model)
    with pytest.raises(DataError, match=words):
        scorer.score(batch_of(change(rows)))


def test_a_row_that_does_not_fit_is_refused(exported):
    handler = RowHandler(exported.saved_model)
    with pytest.raises(DataError, match="a value of 'age' does not fit INT"):
        list(handler.run_inference([{"age": "x"}], handler.load_model()))


def test_a_signature_without_raw_columns_is_refused(exported, tmp_path):
    with pytest.raises(ModelError, match="no signature 'nonsense'"):
        SavedModelHandler(exported.saved_model, signature="nonsense").load_model()
    with pytest.raises(ModelError, match="there is no SavedModel to read"):
        SavedModelHandler(str(tmp_path)).load_model()


def test_inference_args_are_refused(exported):
    with pytest.raises(ValueError, match="takes no inference_args, got \\['x'\\]"):
        SavedModelHandler(exported.saved_model).validate_inference_args({"x": 1})


def test_a_version_that_is_not_what_was_pushed_is_not_asked(serving):
    path = serving / "1"
    description = described(digests={"saved_model": content_digest(str(path))})
    (path / "model.json").write_text(description.model_dump_json())
    SavedModelHandler(str(path)).load_model()
    (path / "assets" / "more").parent.mkdir(exist_ok=True)
    (path / "assets" / "more").write_text("")
    with pytest.raises(ModelError, match="is not the one that was pushed"):
        SavedModelHandler(str(path)).load_model()
