"""One run from raw trips to a pushed model, and its output."""

import json
import re
from pathlib import Path

import pytest

from components.explain.explained import Explained
from pipeline import dag
from pipeline.cli import main

pytestmark = pytest.mark.e2e


def test_every_stage_runs_and_the_model_is_pushed(first):
    assert first.done == list(dag.NODES)
    summary = first.summary
    assert (summary.status, summary.version, summary.error) == ("pushed", 1, None)
    assert summary.model.endswith("/taxi/serving/1")
    assert summary.serve.startswith("skewless serve ")


def test_every_row_is_accounted_for(first):
    counts = first.summary.counts
    assert counts["records_read"] == 600
    assert sum(counts["examples"].values()) + counts["records_rejected"] == 600
    assert set(counts["examples"]) == {"train", "eval", "test"}
    assert min(counts["examples"].values()) > 50


def test_the_model_is_judged_beside_its_baselines(first):
    evaluation = first.summary.evaluation
    assert evaluation["blessed"]
    assert evaluation["overall"]["examples"] == first.summary.counts["examples"]["test"]
    assert evaluation["overall"]["auc"] > 0.75 > evaluation["baselines"]["base_rate"]["auc"]
    assert evaluation["last_blessed"] is None


def test_serving_is_proven_on_real_and_adversarial_rows(first):
    parity = first.summary.parity
    assert parity["proven"]
    assert parity["real_by_split"] == first.summary.counts["examples"]
    assert parity["adversarial_rows"] > 1_000
    assert {path["name"] for path in parity["serving_paths"]} == {
        *("Python", "C API", "REST rows", "REST columns", "REST classify, regress"),
        *("gRPC", "batch", "stream"),
    }
    assert all(q["differing"] == 0 and q["values"] > 0 for q in parity["questions"])


def test_what_the_model_depends_on_is_what_a_row_is_explained_by(first, root, tmp_path, capsys):
    folders = (root / "taxi" / "artifacts" / "explain" / "explanation").iterdir()
    folder = min(folders, key=lambda path: int(path.name))  # other tests run later
    found = Explained.read(str(folder))
    measured = {name for each in found.importance.columns for name in each.columns}
    assert found.importance.columns[0].columns == ("payment_type",)
    assert found.importance.rows == first.summary.counts["examples"]["eval"]
    assert found.leaks == ()

    row = tmp_path / "row.json"
    row.write_text('{"payment_type": "Cash", "fare": 12.5, "trip_start_hour": 9}')
    assert main(["explain", str(root / "taxi"), str(row), "--version", "1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["result"]
    assert {each["column"] for each in result["contributions"]} == measured
    total = result["base"][0] + sum(each["adds"][0] for each in result["contributions"])
    assert total == pytest.approx(result["answer"]["logits"], abs=1e-4)
    assert "payment_type = Cash" in [each["name"] for each in result["slices"]]

    row.write_text('{"payment_tpye": "Cash"}')
    assert main(["explain", str(root / "taxi"), str(row)]) == 3
    assert "payment_tpye" in capsys.readouterr().err


def test_stages_report_their_rows_and_time(first):
    stages = {stage.name: stage for stage in first.summary.stages}
    assert stages["ingest"].rows == 600
    assert stages["transform"].rows_per_second > 0
    total = sum(stage.seconds for stage in stages.values())
    assert 0.7 * first.summary.seconds < total < first.summary.seconds


def test_what_is_served_is_whole(first, root, served):
    files = {path for path in served(root) if path.startswith("1/")}
    assert {
        *("1/saved_model.pb", "1/assets.extra/tf_serving_warmup_requests"),
        *("1/model.json", "1/MODEL_CARD.md"),
    } <= files


def test_the_libraries_noise_is_in_the_log(first):
    with open(first.summary.log, encoding="utf-8") as log:
        text = log.read()
    assert "Running launcher for node_info" in text


def test_nothing_is_left_in_the_temporary_folder(first, temporary):
    assert [path.name for path in temporary.iterdir()] == []


def test_the_data_page_shows_the_label_as_it_was_judged(first, root, tmp_path, capsys):
    written = Path(first.summary.data_page)
    assert written.parent == Path(first.summary.log).parent
    content = shown(written)
    test = next(split for split in content["splits"] if split["name"] == "test")
    rate = first.summary.evaluation["overall"]["base_rate"]
    assert test["estimates"][0][0] == pytest.approx(rate, rel=1e-5)
    related = {column["name"] for column in content["columns"] if column["relation"]}
    assert related > {"fare", "tips"}
    again = tmp_path / "again.html"
    assert main(["data", str(root / "taxi"), "-o", str(again)]) == 0
    assert str(again) in capsys.readouterr().out
    assert shown(again)["columns"][0].keys() == content["columns"][0].keys()


def test_the_report_shows_what_each_stage_left_behind(first, root, capsys):
    written = Path(first.summary.report)
    assert written.parent == Path(first.summary.log).parent
    assert written.stat().st_size < 3_000_000
    cards = {card["id"]: card for card in shown(written)["cards"]}
    missing = {name for name, card in cards.items() if "missing" in card}
    assert missing <= {"changes", "why"}
    stages = {stage["name"]: stage for stage in cards["stages"]["stages"]}
    assert {"ingest", "transform"} <= set(stages["train"]["after"])
    assert stages["train"]["started"] > stages["transform"]["started"]
    assert stages["train"]["memory"] > 1e8
    model = cards["metrics"]["models"][0]
    low, high = model["intervals"]["log_loss"]
    assert low < model["metrics"]["log_loss"] < high
    assert {"model", "logistic"} <= cards["metrics"]["curves"]["models"].keys()
    company = next(each for each in cards["columns"]["columns"] if each["name"] == "company")
    assert company["features"][0]["top"]
    assert all(each["interval"] is not None for each in cards["slices"]["slices"] if each["rows"])
    assert main(["report", "taxi", "--output", str(root)]) == 0
    assert "report of run" in capsys.readouterr().out


def shown(page):
    """Return the content of a page."""
    text = page.read_text("utf-8")
    found = re.search(r'id="content" type="application/json">(.*)</script>', text)
    assert found is not None
    return json.loads(found[1])


def test_a_column_is_shown_before_and_after(first, root, capsys):
    assert main(["show", str(root / "taxi"), "company", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["result"]
    assert shown["rows"] == first.summary.counts["examples"]["train"]
    company = next(each for each in shown["features"] if each["name"] == "company_id")
    assert company["ids"][0]["rows"] >= company["ids"][1]["rows"]
    for row in shown["samples"]:
        assert (row["raw"]["company"] is None) == (row["features"]["company_id"] == 0)
