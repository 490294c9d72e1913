"""Options to try something out: --watch and --sample."""

import json
from pathlib import Path

import pytest

from pipeline import watch
from pipeline.cli import main

pytestmark = pytest.mark.e2e


def test_a_change_of_a_file_runs_again_and_shows_what_it_did(
    first, make_dataset, root, monkeypatch, capfd
):
    folder = make_dataset()
    path = folder / "pipeline.yaml"
    text = path.read_text(encoding="utf-8")
    edits = iter([text + "\nnonsense: 1\n", text.replace("name: taxi", "name: taxi  # x"), None])

    def edit(folder, seen):
        if (changed := next(edits)) is None:
            raise KeyboardInterrupt
        path.write_text(changed, encoding="utf-8")

    monkeypatch.setattr(watch, "_wait_for_change", edit)
    assert main(["run", str(folder), "--output", str(root), "--watch"]) == 0
    out, err = capfd.readouterr()
    assert "unknown key 'nonsense'" in err
    assert out.count("watching") == 3
    assert "configuration: no change" in out
    assert "  log_loss" in out


def test_watching_ends_at_evaluate(make_dataset, capfd):
    assert main(["run", str(make_dataset()), "--watch", "--until", "push"]) == 2
    assert "--watch runs up to evaluate" in capfd.readouterr().err


def test_a_sample_is_of_training_rows_alone(first, make_dataset, tmp_path, capfd):
    folder = make_dataset()
    ingest = ["run", str(folder), "--output", str(tmp_path), "--until", "ingest"]
    assert main([*ingest, "--sample", "0.5", "--json"]) == 0
    shown = json.loads(capfd.readouterr().out)
    assert (shown["command"], shown["result"]["status"]) == ("run", "partial")
    rows, kept = first.summary.counts["examples"], shown["result"]["counts"]["examples"]
    assert (kept["eval"], kept["test"]) == (rows["eval"], rows["test"])
    assert 0.4 * rows["train"] < kept["train"] < 0.6 * rows["train"]


def test_what_is_made_for_programs_is_one_object(first, csv, root, tmp_path, capfd):
    def result(*words):
        assert main([*words, "--json"]) == 0
        return json.loads(capfd.readouterr().out)["result"]

    scored = result("predict", str(root / "taxi"), str(csv), "-o", str(tmp_path / "scores.csv"))
    assert (scored["rows_read"], scored["rows_scored"]) == (600, 600)
    report = result("report", "taxi", "--output", str(root))
    assert Path(report["page"]).is_file()
    data = result("data", str(root / "taxi"), "-o", str(tmp_path / "data.html"))
    assert data == {"run_id": data["run_id"], "page": str(tmp_path / "data.html")}


def test_a_sample_of_a_sample_is_refused(make_dataset, tmp_path, capfd):
    folder = make_dataset(spec={"prepare": {"sample": {"fraction": 0.5}}})
    assert main(["run", str(folder), "--output", str(tmp_path), "--sample", "0.1"]) == 2
    assert "training samples already: 0.5 of the rows" in capfd.readouterr().err
