"""The summary of a run, as data and in words."""

import json

import pytest

from pipeline.board import Stage
from pipeline.summary import Failure, Summary, refusal, serve_command, stage_summaries
from pipeline.summary_text import lines
from schemas.errors import DataError


def metrics(examples=2250, **values):
    return {
        "examples": examples,
        "auc": 0.95,
        "pr_auc": 0.85,
        "log_loss": 0.25,
        "accuracy": 0.9,
        "calibration_error": 0.01,
    } | values


def evaluation(**values):
    return {
        "overall": metrics(),
        "baselines": {
            "logistic": metrics(auc=0.94),
            "base_rate": metrics(auc=0.5, pr_auc=0.23, log_loss=0.54),
        },
        "last_blessed": {"path": "/serving/1", "metrics": metrics(auc=0.951), "note": None},
        "worst_slices": [
            {"column": "payment_type", "value": "Dispute", "metrics": metrics(31, auc=None)}
        ],
        "blessed": True,
        "reasons": [],
    } | values


PROOF = {
    "proven": True,
    "real_rows": 1000,
    "real_by_split": {"test": 800, "eval": 200, "train": 0},
    "adversarial_rows": 231,
    "relative_tolerance": 1e-6,
    "serving_paths": [
        {
            "name": "C API",
            "cannot_carry": "nothing",
            "questions": 1,
            "failed": 0,
            "rows": 1231,
            "refused": 0,
            "values": 1231,
            "differing": 0,
            "largest": 8.5e-07,
        }
    ],
    "questions": [
        {
            "serving_path": "C API",
            "question": "raw_columns",
            "rows": 1231,
            "values": 1231,
            "differing": 0,
        }
    ],
    "failures": [],
    "differences": [],
}


SERVE = "skewless serve /runs/taxi"


def summary(**fields):
    return Summary.model_validate(
        {
            "pipeline": "taxi",
            "run_id": "20261121-101500-000000",
            "status": "pushed",
            "seconds": 41.25,
            "stages": (),
            "counts": {
                "records_read": 15002,
                "examples": {"train": 10500, "eval": 2250, "test": 2249},
                "records_rejected": 3,
                "rejected_by_reason": {"not a number": 1, "too few values": 2},
            },
            "rejects": "/artifacts/ingest/examples/1/rejects",
            "evaluation": evaluation(),
            "parity": PROOF,
            "version": 3,
            "model": "/runs/taxi/serving/3",
            "serve": serve_command("/runs/taxi/serving"),
            "log": "/runs/taxi/runs/x/run.log",
        }
        | fields
    )


def text(**fields):
    return "\n".join(line.text for line in lines(summary(**fields)))


def test_the_summary_of_a_pushed_model():
    assert text().splitlines() == [
        "",
        "data           15,002 rows read: 10,500 train, 2,250 eval, 2,249 test; 3 rejected",
        "               rejected 2: too few values",
        "               rejected 1: not a number",
        "               see /artifacts/ingest/examples/1/rejects",
        "",
        "test, 2,250 rows     auc  pr_auc  log_loss  accuracy  calibration_error",
        "this model        0.9500  0.8500    0.2500    0.9000             0.0100",
        "last blessed      0.9510  0.8500    0.2500    0.9000             0.0100",
        "logistic          0.9400  0.8500    0.2500    0.9000             0.0100",
        "base rate         0.5000  0.2300    0.5400    0.9000             0.0100",
        "",
        "worst slices            rows  log_loss  auc  accuracy",
        "payment_type = Dispute    31    0.2500    -    0.9000",
        "",
        "blessing       blessed",
        "",
        "serving path   rows  values  differing  largest",
        "C API         1,231   1,231          0  8.5e-07",
        "",
        (
            "parity         proven on 1,000 real rows (800 test, 200 eval) and 231 adversarial"
            " ones, 1 serving path"
        ),
        "model          pushed as version 3: /runs/taxi/serving/3",
        f"serve it       {SERVE}",
        "log            /runs/taxi/runs/x/run.log",
        "time           41.2 s",
    ]


@pytest.mark.parametrize(
    ("label", "heads", "figures"),
    [
        ({"classes": {"kept": 0.75, "lost": 0.25}}, ["kept", "lost"], ["75.00%", "25.00%"]),
        ({"positive": 0.2315}, ["label", "1"], ["23.15%"]),
        ({"mean": 12345.678}, ["label", "mean"], ["12345.7"]),
        ({}, [], []),
    ],
)
def test_each_split_shows_its_label_and_times(label, heads, figures):
    facts = {"rows": 5000, "label": label, "time": ["2024-01-01T00:00:00Z", 17]}
    counts = {**summary().counts, "splits": dict.fromkeys(("train", "eval", "test"), facts)}
    printed = [line.split() for line in text(counts=counts).splitlines()]
    assert ["split", "rows", *heads, "from", "to"] in printed
    assert ["eval", "5,000", *figures, "2024-01-01T00:00:00Z", "17"] in printed


def test_metrics_name_their_weight_and_the_classes_that_count():
    figures: dict[str, float | None] = {
        "log_loss": 0.5,
        "accuracy": 0.8,
        "macro_f1": 0.7,
        "weighted_f1": 0.75,
    }
    figures |= {"macro_auc": None, "calibration_error": 0.01, "top_5_accuracy": 0.9625}
    measured = {"examples": 2250, **figures}
    printed = text(
        evaluation=evaluation(
            task="multiclass",
            weight="revenue",
            overall=measured,
            baselines={"logistic": measured, "shares": measured},
            last_blessed=None,
            worst_slices=[],
        )
    )
    assert "test, 2,250 rows weighted by revenue" in printed
    assert "top_5_accuracy" in printed
    assert "0.9625" in printed
    assert "top_3_accuracy" not in printed


def test_a_model_that_is_served_already_says_so():
    assert "already served as version 3" in text(status="unchanged")


def test_a_refused_model_names_no_command_to_serve_it():
    output = text(
        status="refused",
        version=None,
        serve=None,
        evaluation=evaluation(blessed=False, reasons=[{"text": "auc is low"}]),
    )
    assert "not blessed" in output
    assert "skewless serve" not in output


def test_anomalies_let_through_are_named():
    findings = ({"severity": "error"}, {"severity": "warning"}, {"severity": "error"})
    assert "2 of severity 'error', 1 of severity 'warning', let through by --allow" in text(
        findings=findings, anomalies_allowed=True
    )


def test_the_newest_spans_are_shown_one_by_one_and_those_before_together():
    read = {str(span): 100 + span for span in range(1, 10)}
    said = text(counts={**(summary().counts or {}), "read_by_span": read})
    assert "spans 1 to 2: 203 rows read" in said
    assert "span 3: 103 rows read" in said
    assert "span 9: 109 rows read" in said


def test_vocabularies_say_what_they_left_out():
    left_out = "2 terms with line breaks (3 rows) count as unknown"
    stages = stage_summaries([Stage("transform", "done", notes={"left_out_a b": left_out})])
    assert f"vocabulary     a b: {left_out}" in text(stages=stages).splitlines()


def test_the_summary_of_a_run_that_failed_early():
    output = text(
        status="failed", evaluation=None, parity=None, version=None, counts=None, serve=None
    )
    assert output.split() == ["log", "/runs/taxi/runs/x/run.log", "time", "41.2", "s"]


def test_nothing_speaks_against_a_blessed_and_proven_model():
    assert refusal({"evaluation": evaluation(), "parity": PROOF}) is None
    assert refusal({}) is None


def test_every_reason_is_given():
    against = evaluation(blessed=False, reasons=[{"text": "auc is low"}, {"text": "loss is high"}])
    failed = PROOF | {
        "proven": False,
        "failures": [{"path": "C API", "reason": "the export does not load"}],
    }
    error = refusal({"evaluation": against, "parity": failed})
    assert error is not None
    assert error.exit_code == 4
    for reason in ("auc is low", "loss is high", "the export does not load"):
        assert reason in str(error)


def test_the_serve_command_quotes_the_path():
    assert serve_command("/runs/taxi/serving") == SERVE
    assert serve_command("/my runs/taxi/serving") == "skewless serve '/my runs/taxi'"


def test_it_is_kept_whole(tmp_path):
    error = Failure.of(DataError("bad rows", where="a.csv:3", remedy="mend them"), "gate")
    kept = summary(status="failed", error=error)
    kept.write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["summary.json"]
    read = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert Summary.model_validate(read) == kept
    assert read["error"] == {
        "stage": "gate",
        "kind": "DataError",
        "what": "bad rows",
        "where": "a.csv:3",
        "expected": None,
        "remedy": "mend them",
    }


@pytest.mark.parametrize(("rows", "rate"), [(1000, 500.0), (0, None)])
def test_stages_carry_their_rate(rows, rate):
    (stage,) = stage_summaries([Stage("ingest", "done", 10.0, 2.0, rows)])
    assert (stage.rows, stage.rows_per_second) == (rows, rate)
