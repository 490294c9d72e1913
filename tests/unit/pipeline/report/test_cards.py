"""The cards of a run's report, from the record of a run."""

import json
from dataclasses import replace
from typing import Any

import pytest

from pipeline.configuration import Configuration
from pipeline.report import run_page
from pipeline.report.cards import CARDS, changes, reproduce, slices, stages, training, verdict
from pipeline.report.cards import metrics as metrics_card
from pipeline.report.document import embedded
from pipeline.summary import Failure
from schemas.description import Input
from tests.described import described
from tests.unit.pipeline.report.run_records import EARLIER, FIGURES, record, summary

ORDER = [
    "verdict",
    "changes",
    "stages",
    "data",
    "columns",
    "training",
    "metrics",
    "slices",
    "why",
    "proof",
    "reproduce",
]


@pytest.fixture
def place(tmp_path):
    return tmp_path / "trips"


def configured(**model: Any) -> Configuration:
    """Return a configuration with these options of the model alone."""
    return Configuration(spec={"model": model}, schema_text="", code="")


def test_a_report_has_its_cards_in_a_fixed_order(place):
    content = run_page.content_of(record(place))
    assert list(CARDS) == ORDER
    assert [card["id"] for card in content["cards"]] == ORDER
    embedded(content)  # is JSON


def test_a_run_that_reached_nothing_has_every_card_with_one_sentence_each(place):
    failed = Failure(
        stage="ingest", kind="DataError", what="x", where=None, expected=None, remedy=None
    )
    nothing: dict[str, Any] = {
        "counts": None,
        "training": None,
        "evaluation": None,
        "version": None,
    }
    bare = summary(stages=(), status="failed", error=failed, **nothing)
    cards = run_page.content_of(record(place, bare))["cards"]
    missing = {card["id"]: card["missing"] for card in cards if "missing" in card}
    assert list(missing) == [
        "changes",
        "data",
        "columns",
        "training",
        "metrics",
        "slices",
        "why",
        "proof",
    ]
    assert missing["why"] == "The run has no stage that measures what the answers depend on."
    assert missing["metrics"] == (
        "Metrics do not exist: the run failed before the stage evaluate finished."
    )
    assert {text.count(". ") for text in missing.values()} == {0}


def test_artifacts_that_were_removed_are_said_to_be_gone(place):
    kept = record(place)
    (place / "artifacts/evaluate/metrics.json").unlink()
    found = slices.card(kept)
    assert found == {
        "missing": "Metrics of slices are no longer in the artifacts of the stage evaluate."
    }


def test_a_pushed_model_is_to_be_served(place):
    card = verdict.card(record(place))
    assert (card["tone"], card["headline"]) == ("good", "Version 2 is pushed")
    assert card["next"][0]["command"] == "skewless serve runs/trips"
    assert card["facts"][0] == ("log-loss", 0.5, "number")


def test_a_refused_model_has_its_reasons_once(place):
    reasons = [{"kind": "min", "metric": "auc", "text": "auc 0.75 < 0.9"}]
    error = Failure(
        stage=None,
        kind="ModelError",
        what="the model is not blessed",
        where=None,
        expected="a better one",
        remedy="improve it",
    )
    refused = {"blessed": False, "reasons": reasons, "overall": FIGURES, "task": "binary"}
    card = verdict.card(
        record(place, summary(status="refused", error=error, version=None, evaluation=refused))
    )
    assert (card["tone"], card["reasons"]) == ("bad", ["auc 0.75 < 0.9"])
    assert (card["error"]["what"], card["error"]["remedy"]) == (None, "improve it")
    assert card["next"][-1]["command"] == "skewless run trips"


@pytest.mark.parametrize(
    ("changed", "command"),
    [
        ({"data_page": "data.html", "counts": None}, "skewless data {place} --open"),
        ({"data_page": "data.html"}, "skewless rejects {place}"),
    ],
)
def test_a_run_that_the_gate_stops_leads_to_what_it_is_about(place, changed, command):
    error = Failure(
        stage="gate", kind="DataError", what="anomalies", where=None, expected=None, remedy=None
    )
    card = verdict.card(record(place, summary(status="failed", error=error, **changed)))
    assert card["headline"] == "The run failed in gate"
    assert card["next"][0]["command"] == command.format(place=place)


def test_changes_are_against_the_last_run_that_pushed(place):
    assert "missing" in changes.card(record(place))
    old = {"overall": FIGURES | {"log_loss": 0.6}, "blessed": True, "task": "binary"}
    earlier = place / "runs" / EARLIER
    earlier.mkdir(parents=True)
    summary(EARLIER, version=1, evaluation=old).write(earlier)
    refused = place / "runs" / "20261201-100001-500000"
    refused.mkdir()
    summary(refused.name, status="refused", version=None).write(refused)
    card = changes.card(record(place))
    assert (card["before"], card["version"]) == (EARLIER, 1)
    assert next(iter(card["metrics"]))["verdict"] == "better"
    assert card["rows"][0]["read"] == 1000


def test_stages_have_their_place_in_the_dag(place):
    found = {stage["name"]: stage for stage in stages.card(record(place))["stages"]}
    assert {name: stage["rank"] for name, stage in found.items()} == {
        "import_schema": 0,
        "ingest": 0,
        "statistics": 1,
        "train": 1,
        "evaluate": 2,
        "push": 3,
    }
    assert found["evaluate"]["after"] == ["ingest", "train"]
    assert found["train"]["started"] == 3.0


def test_training_has_the_history_or_else_the_losses_of_the_summary(place):
    kept = record(place)
    (fold,) = training.card(kept)["folds"]
    assert (fold["kept"], [r["eval_loss"] for r in fold["rounds"]]) == (2, [0.61, 0.55])
    history = {"stop_by": "auc", "folds": [{"fold": 0, "kept": 1, "rounds": []}]}
    (place / "artifacts/train/history.json").write_text(json.dumps(history), encoding="utf-8")
    assert training.card(kept)["stop_by"] == "auc"


def test_training_has_the_trials_that_found_its_options_and_no_others(place):
    kept = replace(record(place), configuration=configured(members=2))
    trials = {"model": {"members": 2}, "trials": [{"number": 0, "value": 0.5}]}
    (place / "tune").mkdir()
    (place / "tune/trials.json").write_text(json.dumps(trials), encoding="utf-8")
    assert training.card(kept)["trials"] == trials["trials"]
    other = replace(kept, configuration=configured(members=3))
    assert training.card(other)["trials"] == []


def test_metrics_are_beside_those_of_the_baselines(place):
    card = metrics_card.card(record(place))
    assert [model["name"] for model in card["models"]] == ["model", "logistic", "base_rate"]
    assert card["metrics"][0]["name"] == "log_loss"
    assert card["classes"] == ["0", "1"]


def test_slices_come_worst_first_and_those_without_the_objective_last(place):
    card = slices.card(record(place))
    assert [each["value"] for each in card["slices"]] == ["B", "A", "C"]
    assert (card["objective"], card["better"]) == ("log_loss", "lower")


def test_a_request_runs_as_python_and_has_each_column_once():
    columns = (
        Input(name="fare", kind="FLOAT", required=True, example=1.5),
        Input(name="it's", kind="BYTES", required=False, example='a "quoted" é'),
        Input(name="missing", kind="INT", required=False),
        Input(name="tags", kind="BYTES", most=3, required=False, example=("a", "b")),
    )
    found = reproduce.requests(described(name="trips", inputs=columns))
    asked: dict[str, Any] = {}

    def urlopen(url, body):
        asked.update(url=url, body=json.loads(body))
        raise StopIteration

    given = {"urlopen": urlopen}
    code = found["Python"].replace("from urllib.request import urlopen", "")
    with pytest.raises(StopIteration):
        exec(compile(code, "request", "exec"), given)  # it is what users copy
    (row,) = asked["body"]["instances"]
    assert list(row) == ["fare", "it's", "missing", "tags"]
    assert (row["fare"], row["it's"], row["tags"]) == (1.5, 'a "quoted" é', ["a", "b"])
    assert row["missing"] != row["missing"]
    assert asked["url"].endswith("/v1/models/trips:predict")
    assert "'it'\\''s'" not in found["curl"]
    assert "it'\\''s" in found["curl"]
