"""Shells complete datasets, pipelines and runs."""

import pytest
from click.shell_completion import ShellComplete

from pipeline.cli import cli
from tests.unit.pipeline.recorded import FIRST, SECOND, record


@pytest.mark.parametrize(
    ("typed", "incomplete", "completed"),
    [
        ([], "comp", ["compare"]),
        (["run"], "tax", ["taxi", "tax"]),  # the last one stands for folders
        (["run", "taxi"], "--unt", ["--until"]),
        (["rejects"], "runs/sh", ["runs/shop", "runs/sh"]),
        (["runs"], "s", ["shop"]),
        (["compare", "shop"], "2026", [SECOND, FIRST]),
        (["compare", "--output", "nowhere"], "", []),
    ],
)
def test_names_are_completed(tmp_path, monkeypatch, typed, incomplete, completed):
    record(tmp_path / "runs", "shop", FIRST)
    record(tmp_path / "runs", "shop", SECOND)
    monkeypatch.chdir(tmp_path)
    shell = ShellComplete(cli, {}, "skewless", "_SKEWLESS_COMPLETE")
    assert [item.value for item in shell.get_completions(typed, incomplete)] == completed
