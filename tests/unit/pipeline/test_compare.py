"""`skewless compare` shows what differs between runs, and what they did not keep."""

import json
import re
from dataclasses import replace

import pytest

from components.evaluate.report import Report
from components.validate.measured import Measured
from pipeline import cli, comparison, recorded_runs
from pipeline.compare import lines
from pipeline.configuration import Configuration
from tests.unit.pipeline.recorded import FIRST, SECOND, evaluation, record

SCHEMA = 'feature { name: "fare" }\n'


@pytest.fixture
def root(tmp_path):
    """Two runs of one pipeline; the second one has a better model, and other settings."""
    for run_id, loss, epochs in ((FIRST, 0.5, 3), (SECOND, 0.25, 5)):
        folder = record(tmp_path, "taxi", run_id, evaluation=evaluation(log_loss=loss, auc=None))
        schema = SCHEMA if run_id == FIRST else SCHEMA.replace("fare", "tip")
        spec = {"name": "taxi", "model": {"epochs": epochs, "dnn": {"units": [8]}}}
        Configuration(spec=spec, schema_text=schema, code="").write(str(folder))
    return tmp_path


def sides(root):
    found = [recorded_runs.find_one(run, str(root)) for run in (FIRST, SECOND)]
    return [comparison.Side.of(*each) for each in recorded_runs.readable(found)]


def compared(root, capsys):
    assert cli.main(["compare", FIRST, "taxi", "--output", str(root), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["command"] == "compare"
    assert [run["run_id"] for run in answer["result"]["runs"]] == [FIRST, SECOND]
    (found,) = answer["result"]["comparisons"]
    return found


def test_configurations_differ_by_key_and_by_line(root, capsys):
    found = compared(root, capsys)
    assert found["settings"] == [{"key": "model.epochs", "before": 3, "after": 5}]
    assert found["schema_lines"] == ['-feature { name: "fare" }', '+feature { name: "tip" }']
    assert found["code_lines"] == []


def test_metrics_know_which_of_both_is_better(root, capsys):
    loss, auc = compared(root, capsys)["metrics"]
    assert (loss["name"], loss["better"], loss["verdict"]) == ("log_loss", "lower", "better")
    assert (loss["before"], loss["after"]) == (0.5, 0.25)
    assert (auc["after"], auc["verdict"]) == (None, None)


def test_a_page_has_what_json_has(root, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["compare", FIRST, SECOND, "--html", "--output", str(root)]) == 0
    assert str(tmp_path / "compare.html") in capsys.readouterr().out
    text = (tmp_path / "compare.html").read_text(encoding="utf-8")
    (found,) = re.findall(r'id="content" type="application/json">(.*)</script>', text)
    (shown,) = json.loads(found)["comparisons"]
    expected = compared(root, capsys)
    assert {name: shown[name] for name in ("before", "after", "settings", "metrics")} == {
        name: expected[name] for name in ("before", "after", "settings", "metrics")
    }


def test_scores_are_of_the_rows_that_both_runs_drew(root):
    old, new = sides(root)
    old = replace(old, scores={0.1: (1, 0.5), 0.2: (0, 0.25), 0.3: (1, 0.75)})
    new = replace(new, scores={0.1: (1, 0.6), 0.2: (1, 0.3), 0.4: (1, 0.8)})
    # the second row has another label, so it is another row
    assert comparison.scores_of_both(old, new) == [(1, 0.5, 0.6)]


def test_what_a_run_did_not_keep_is_null_and_said_in_text(root, capsys):
    (root / "taxi" / "runs" / FIRST / "configuration.json").write_text("{", encoding="utf-8")
    found = compared(root, capsys)
    assert [found[part] for part in ("settings", "slices", "columns")] == [None] * 3
    text = list(lines(comparison.compare(*sides(root))))
    assert "configuration: not kept by both runs" in text
    words = [line.split() for line in text]
    assert ["log_loss", "lower", "is", "better", "0.5000", "0.2500", "-0.2500", "better"] in words


def report(**losses):
    slices = [
        {
            "column": "company",
            "value": value,
            "kind": "value",
            "metrics": {"examples": examples, "log_loss": loss},
        }
        for value, (examples, loss) in losses.items()
    ]
    return Report.model_validate(
        {
            "label": "big_tip",
            "split": "test",
            "blessed": True,
            "reasons": (),
            "overall": {"examples": 200, "log_loss": 0.5},
            "baselines": {},
            "last_blessed": None,
            "slices": slices,
            "worst_slices": (),
            "min_slice_examples": 30,
        }
    )


def test_slices_are_compared_if_both_runs_have_enough_rows(root):
    before, after = sides(root)
    old = report(a=(50, 0.5), b=(50, 0.5), c=(50, 0.5), few=(29, 0.1), gone=(50, 0.1))
    new = report(a=(60, 0.4), b=(60, 0.75), c=(60, 0.5), few=(60, 0.9), new=(60, 0.9))
    found = comparison.compare(replace(before, report=old), replace(after, report=new)).slices
    assert found is not None
    assert [(each.value, each.examples, each.change.verdict) for each in found] == [
        ("b", (50, 60), "worse"),
        ("a", (50, 60), "better"),
    ]


NUMBERS = Measured(10_000, 10_000, 10_000, 0.0, 9.0, mean=5.0, stddev=2.0)
TEXTS = Measured(10_000, 10_000, 10_000, values={"a": 5_000, "b": 5_000}, distinct=2)


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        (NUMBERS, NUMBERS, []),
        (NUMBERS, replace(NUMBERS, mean=5.05), []),  # chance gives up to 0.0465 deviations
        (NUMBERS, replace(NUMBERS, mean=6.0), [("MEAN", 0.5)]),
        (NUMBERS, replace(NUMBERS, present=5_000, total=5_000), [("MISSING", 0.5)]),
        (NUMBERS, Measured(0, 0), []),
        (NUMBERS, Measured(10_000, 0), [("MISSING", 1.0)]),
        (TEXTS, replace(TEXTS, values={"a": 5_100, "b": 4_900}), []),
        (TEXTS, replace(TEXTS, values={"b": 7_500, "c": 2_500}), [("L_INFTY", 0.5)]),
    ],
)
def test_columns_move_further_than_by_chance(root, before, after, moved):
    first, second = sides(root)
    columns = replace(first, columns={"x": before}), replace(second, columns={"x": after})
    found = comparison.compare(*columns).columns
    assert found is not None
    assert [(each.measure, pytest.approx(each.value)) for each in found] == moved


@pytest.mark.parametrize(
    ("runs", "said"), [([FIRST], "two runs or more"), ([FIRST, "20261202"], "0 runs have an id")]
)
def test_too_few_or_unknown_runs_are_refused(root, capsys, runs, said):
    assert cli.main(["compare", *runs, "--output", str(root)]) == 2
    assert said in capsys.readouterr().err


def test_a_run_without_a_summary_is_refused(root, capsys):
    (root / "taxi" / "runs" / SECOND / "summary.json").unlink()
    assert cli.main(["compare", FIRST, SECOND, "--output", str(root)]) == 2
    assert f"the run {SECOND} of taxi is killed" in capsys.readouterr().err
