"""Options to try something out: --watch and --sample."""

import re

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
    assert main([*ingest, "--sample", "0.5"]) == 0
    shown = capfd.readouterr().out
    rows = first.summary.counts["examples"]
    assert f"{rows['eval']} eval, {rows['test']} test" in shown
    (kept,) = map(int, re.findall(r"(\d+) train,", shown))
    assert 0.4 * rows["train"] < kept < 0.6 * rows["train"]


def test_a_sample_of_a_sample_is_refused(make_dataset, tmp_path, capfd):
    folder = make_dataset(spec={"prepare": {"sample": {"fraction": 0.5}}})
    assert main(["run", str(folder), "--output", str(tmp_path), "--sample", "0.1"]) == 2
    assert "training samples already: 0.5 of the rows" in capfd.readouterr().err
