"""Evaluation of a few rows: figures, slices, baselines, the last blessed model, and refusals."""

import logging
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from components import progress
from components.evaluate.curves import Curves
from components.evaluate.report import Report
from schemas.columns import Column
from schemas.errors import ConfigError, DataError, ModelError
from schemas.evaluation import Evaluation
from schemas.tasks.binary import Binary, BinaryThresholds
from schemas.tasks.options import Bound

pytestmark = pytest.mark.component

LN = {p: -np.log(p) for p in (0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9)}


def only(**bounds):
    """Thresholds with these bounds and no others."""
    return BinaryThresholds(**({"auc": Bound(), "beats_baseline": False} | bounds))


def test_overall_figures_by_hand(tiny):
    report = tiny.evaluate()

    found = report.overall
    assert (report.label, report.split) == ("big_tip", "test")
    assert (found["examples"], found["positives"], found["mean_score"]) == (8, 4, 0.5)
    # of 16 pairs 9 are right and 6 tie: 3 x 1 at 0.75 and 1 x 3 at 0.25
    assert found["auc"] == 0.75
    assert found["pr_auc"] == pytest.approx(3 / 4 * 3 / 4 + 1 / 4 * 4 / 8)
    assert found["log_loss"] == pytest.approx((6 * LN[0.75] + 2 * LN[0.25]) / 8)
    assert found["accuracy"] == 0.75
    assert found["calibration_error"] == 0  # a quarter of the 0.25s and three of the 0.75s are 1
    assert report.baselines["base_rate"]["log_loss"] == pytest.approx(LN[0.5])
    assert report.baselines["logistic"]["log_loss"] == pytest.approx((LN[0.4] + LN[0.6]) / 2)
    assert (report.blessed, report.reasons, report.last_blessed) == (True, (), None)


def test_metrics_json_is_the_report_beside_what_is_drawn_and_nothing_else_is_left(tiny):
    report = tiny.evaluate()
    output = tiny.root / "evaluation"
    assert sorted(os.listdir(output)) == ["curves.json", "metrics.json"]
    assert Report.read(str(output)) == report
    assert report.intervals.keys() == {"model", "logistic"}
    low, high = report.intervals["model"].metrics["accuracy"]
    assert low < report.overall["accuracy"] < high
    drawn = Curves.model_validate_json((output / "curves.json").read_bytes())
    (curve,) = drawn.models["model"]
    # from 0.75 on three of four, and one of the others; from 0.25 on all
    assert (curve.positives, curve.negatives) == (4, 4)
    assert set(zip(curve.true, curve.false, strict=True)) == {(3, 1), (4, 4)}
    assert drawn.models.keys() == {"model", "logistic"}
    assert (sum(drawn.histograms[0].yes), sum(drawn.histograms[0].no)) == (4, 4)


def test_slices_by_raw_value(tiny):
    report = tiny.evaluate(evaluation=Evaluation(slices=("payment", "hour")))
    found = [
        (s.column, s.value, s.metrics["examples"], s.metrics["positives"], s.metrics["auc"])
        for s in report.slices
    ]
    assert found == [
        ("payment", "Crédit", 4, 3, 0.5),
        ("payment", "Cash", 3, 1, 0.5),
        ("payment", "(missing)", 1, 0, None),
        # 9 o'clock: labels 1 0 0 1 with scores 0.75 0.25 0.25 0.25
        ("hour", "9", 4, 2, 0.75),
        # 17 o'clock: labels 0 1 0 with scores 0.25 0.75 0.75
        ("hour", "17", 3, 1, 0.75),
        ("hour", "(missing)", 1, 1, None),
    ]
    cash = report.slices[1].metrics
    assert cash["log_loss"] == pytest.approx((2 * LN[0.75] + LN[0.25]) / 3)


def test_rows_count_by_their_weights_in_every_figure(tiny):
    columns = (*tiny.columns, Column("w", "INT", False))
    # the weight of a wrong row is 2, and that of a row without a payment 0
    weights = [1, 1, 1, 1, 1, 0, 2, 2]
    rows = tiny.rows.append_column("w", pa.array(weights))
    report = tiny.evaluate(
        columns=columns,
        label=tiny.label.model_copy(update={"weight": "w"}),
        examples=tiny.examples(rows),
        last_blessed=tiny.model("served", credit=0.9, otherwise=0.1),
        evaluation=Evaluation(slices=("payment",)),
    )
    found = report.overall
    assert (found["examples"], found["positives"], report.weight) == (8, 4, "w")
    assert found["log_loss"] == pytest.approx((5 * LN[0.75] + 4 * LN[0.25]) / 9)
    assert found["accuracy"] == pytest.approx(5 / 9)
    assert report.baselines["base_rate"]["accuracy"] == pytest.approx(5 / 9)
    assert report.baselines["logistic"]["log_loss"] == pytest.approx(
        (5 * LN[0.4] + 4 * LN[0.6]) / 9
    )
    assert report.last_blessed.metrics["log_loss"] == pytest.approx((5 * LN[0.9] + 4 * LN[0.1]) / 9)
    # the row without a payment counts nothing, so its slice has no figures
    assert [(s.value, s.metrics["examples"]) for s in report.slices] == [("Crédit", 4), ("Cash", 3)]
    assert report.slices[0].metrics["log_loss"] == pytest.approx((3 * LN[0.75] + 2 * LN[0.25]) / 5)


def test_the_worst_slices_are_named(tiny):
    report = tiny.evaluate(evaluation=Evaluation(slices=("payment", "hour"), min_slice_examples=3))
    # Cash and 17 o'clock have one wrong of three, everything two wrong of eight
    assert [(s.column, s.value) for s in report.worst_slices] == [
        ("payment", "Cash"),
        ("hour", "17"),
    ]


def test_the_figures_do_not_depend_on_shards_and_batches(tiny):
    evaluation = Evaluation(slices=("payment",))
    model = tiny.model()
    whole = tiny.evaluate(model=model, evaluation=evaluation)
    parts = tiny.examples(
        tiny.rows.slice(3), tiny.rows.slice(0, 0), tiny.rows.slice(0, 3), batch_rows=1
    )
    again = tiny.evaluate(model=model, evaluation=evaluation, examples=parts)
    assert [s.value for s in again.slices] == [s.value for s in whole.slices]
    assert again.overall["auc"] == whole.overall["auc"]
    assert again.overall["log_loss"] == pytest.approx(whole.overall["log_loss"], rel=1e-12)


def test_every_reason_not_to_bless_is_given(tiny):
    report = tiny.evaluate(
        model=tiny.model(credit=0.2, otherwise=0.8),
        evaluation=Evaluation(
            thresholds=BinaryThresholds(auc=Bound(min=0.7), accuracy=Bound(min=0.5))
        ),
    )
    assert not report.blessed
    assert [(r.metric, r.value, r.bound, r.against) for r in report.reasons] == [
        ("auc", 0.25, 0.7, None),
        ("accuracy", 0.25, 0.5, None),
        ("log_loss", report.overall["log_loss"], None, "base_rate"),
        ("log_loss", report.overall["log_loss"], None, "logistic"),
    ]


def test_the_last_blessed_model_is_scored_on_the_same_rows(tiny):
    served = tiny.model("served", credit=0.9, otherwise=0.1)
    report = tiny.evaluate(
        last_blessed=served,
        evaluation=Evaluation(thresholds=only(log_loss=Bound(max_loss=0))),
    )
    assert report.blessed
    assert report.last_blessed.path == served
    assert report.last_blessed.note is None
    assert report.last_blessed.metrics["examples"] == 8
    expected = (6 * LN[0.9] + 2 * LN[0.1]) / 8
    assert report.last_blessed.metrics["log_loss"] == pytest.approx(expected)


def test_a_model_that_lost_too_much_is_not_blessed(tiny):
    report = tiny.evaluate(
        model=tiny.model(credit=0.9, otherwise=0.1),
        last_blessed=tiny.model("served"),
        evaluation=Evaluation(thresholds=only(log_loss=Bound(max_loss=0.05))),
    )
    (reason,) = report.reasons
    assert not report.blessed
    assert (reason.metric, reason.against) == ("log_loss", "last_blessed")
    assert reason.reference == report.last_blessed.metrics["log_loss"]
    assert reason.value - reason.reference > reason.permitted_loss == 0.05


def asks_for_another_column(tiny):
    return tiny.model("served", surge=True)


def has_no_evaluation_signature(tiny):
    return tiny.model("served", signature="serving_default")


def was_made_for_another_label(tiny):
    return tiny.model("served", fraction=0.05)  # two more rows are 1


def gives_no_number(tiny):
    return tiny.model("served", credit=float("nan"))


def is_an_empty_folder(tiny):
    folder = tiny.root / "served"
    folder.mkdir()
    return str(folder)


def is_damaged(tiny):
    path = tiny.model("served")
    for file in (Path(path) / "variables").iterdir():
        file.write_bytes(b"")
    return path


@pytest.mark.parametrize(
    ("served", "note"),
    [
        (asks_for_another_column, "cannot be scored: the model asks for column 'surge'"),
        (has_no_evaluation_signature, "cannot be scored: the SavedModel has no signature"),
        (was_made_for_another_label, "another label: 2 rows differ"),
        (gives_no_number, "cannot be scored: it gives no valid score for 4 rows"),
        (is_an_empty_folder, "cannot be scored: there is no SavedModel to read"),
        (is_damaged, "cannot be scored: the SavedModel does not load"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_note_says_why_a_served_model_cannot_be_compared(tiny, served, note):
    report = tiny.evaluate(
        last_blessed=served(tiny),
        evaluation=Evaluation(thresholds=only(auc=Bound(max_loss=0), log_loss=Bound(max_loss=0))),
    )
    assert note in report.last_blessed.note
    assert report.last_blessed.metrics is None
    assert report.blessed


def test_a_model_is_not_compared_with_itself(tiny):
    model = tiny.model()
    report = tiny.evaluate(model=model, last_blessed=model)
    assert "this same model" in report.last_blessed.note
    assert report.last_blessed.metrics is None


def test_an_empty_split_is_refused(tiny):
    with pytest.raises(DataError, match=r"(?s)the test split has no rows.*Split-test"):
        tiny.evaluate(examples=tiny.examples(tiny.rows.slice(0, 0)))


def test_a_slicing_column_must_exist(tiny):
    with pytest.raises(ConfigError, match=r"'paymnt' in schema\.pbtxt; did you mean 'payment'"):
        tiny.evaluate(evaluation=Evaluation(slices=("paymnt",)))


def test_a_model_without_the_labels_columns_is_refused(tiny):
    label = Binary.model_validate({"name": "late", "equals": {"column": "hour", "values": [23]}})
    with pytest.raises(ModelError, match="does not take 'hour', which the label 'late'"):
        tiny.evaluate(label=label)


def test_a_model_that_asks_for_other_columns_is_refused(tiny):
    with pytest.raises(ModelError, match="asks for column 'surge'"):
        tiny.evaluate(model=tiny.model(surge=True))


def test_a_column_that_changed_its_type_is_refused(tiny):
    columns = [c for c in tiny.columns if c.name != "tips"]
    columns.append(type(columns[0])("tips", "INT", False))
    with pytest.raises(
        ModelError, match="takes column 'tips' as float32, but INT comes as float64"
    ):
        tiny.evaluate(columns=columns)


@pytest.mark.parametrize("score", [float("nan"), 1.5])
def test_a_model_whose_scores_are_not_probabilities_is_refused(tiny, score):
    with pytest.raises(ModelError, match=r"the model gives no valid score.* for 4 rows"):
        tiny.evaluate(model=tiny.model(credit=score))


def test_progress_reports_rows_and_figures(tiny, caplog):
    with caplog.at_level(logging.INFO, logger=progress.LOGGER.name):
        tiny.evaluate()
    events = [r.event for r in caplog.records if r.name == progress.LOGGER.name]
    assert sum(e.rows for e in events) == 8
    (note,) = [e.values for e in events if e.kind == "note"]
    assert note["blessed"] == 1
    assert note["auc"] == 0.75


def test_scoring_counts_what_it_scored(tiny):
    from apache_beam import Create, ParDo
    from apache_beam.testing.test_pipeline import TestPipeline
    from apache_beam.testing.util import assert_that

    from components.compat import beam_options
    from components.evaluate.scoring import EvaluationModel, ScoreBatches
    from components.evaluate.slices import Slicing

    model = EvaluationModel(tiny.model(), tiny.columns)
    assert [c.name for c in model.inputs] == ["Fare ($)", "payment", "tips"]
    score = ScoreBatches(model, None, [Slicing(tiny.columns[2], ("Cash",))])
    batches = tiny.rows.to_batches(max_chunksize=5)

    def check(scored):
        first, last = sorted(scored, key=lambda s: -len(s.label))
        np.testing.assert_array_equal(first.label, [1, 0, 1, 0, 1])
        np.testing.assert_array_equal(last.scores[0], np.float32([0.25, 0.75, 0.25]))
        np.testing.assert_array_equal(last.scores[1], np.float32([0.4, 0.4, 0.4]))
        np.testing.assert_array_equal(last.slices[0], [1, 2, 0])

    with TestPipeline(options=beam_options(None)) as pipeline:
        assert_that(
            pipeline | Create(batches).with_output_types(pa.RecordBatch) | ParDo(score), check
        )
    (counter,) = pipeline.result.metrics().query()["counters"]
    assert (counter.key.metric.name, counter.committed) == ("examples_scored", 8)


def test_a_model_is_loaded_once_in_a_process(tiny):
    import pickle

    from components.evaluate.scoring import EvaluationModel

    model = EvaluationModel(tiny.model(), tiny.columns)
    copy = pickle.loads(pickle.dumps(model))
    assert copy.load() is model.load()
