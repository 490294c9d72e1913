"""What ends predict or stream early is reported in one line, whatever Beam makes of it."""

import signal
import tempfile

import pytest

from pipeline import lineage, scoring
from pipeline.endings import InterruptedRunError, UnexpectedError
from pipeline.folders import Folders
from schemas import columns
from schemas.columns import Column
from schemas.sources.csv import Csv


@pytest.fixture(autouse=True)
def logs(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def fail_in(stage, number=None):
    with scoring.on_screen(stage):
        try:
            if number is not None:
                signal.raise_signal(number)
        finally:  # like Beam
            raise RuntimeError("KeyboardInterrupt [while running 'Score']")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_not_a_failure(number, logs):
    with pytest.raises(InterruptedRunError) as caught:
        fail_in("predict", number)
    assert caught.value.what == "interrupted in predict"
    assert caught.value.exit_code == 130
    assert not list(logs.iterdir())


def test_a_failure_names_its_log(logs):
    with pytest.raises(UnexpectedError, match="predict failed: RuntimeError: ") as caught:
        fail_in("predict")
    (log,) = logs.iterdir()
    assert caught.value.where == str(log)
    assert "Traceback" in log.read_text(encoding="utf-8")


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A version in a run with recorded parameters."""
    recorded = {
        "source": Csv(path="x", delimiter="|").model_dump_json(),
        "columns": columns.dumps([Column("id", "INT", serving=False)]),
    }
    asked = []

    def latest_parameters(*given):
        asked.append(given)
        return recorded

    monkeypatch.setattr(lineage, "latest_parameters", latest_parameters)
    folders = Folders(tmp_path / "taxi")
    yield scoring.ModelFolder({1: folders.serving + "/1"}, folders.serving, folders)
    assert len(asked) <= 1  # the record is opened once


def test_the_form_and_types_of_files_are_the_runs(source):
    assert source.written(None).delimiter == "|"
    assert source.columns(None) == (Column("id", "INT", serving=False),)
    assert source.kept == [source.run.artifacts, source.run.serving]


def test_a_dataset_that_is_named_says_both_instead(source):
    assert source.written("taxi").delimiter == ","
    assert "fare" in [column.name for column in source.columns("taxi")]


def test_of_a_lone_model_neither_is_known():
    lone = scoring.ModelFolder({1: "/models/taxi/1"}, None, None)
    assert (lone.written(None), lone.columns(None), lone.kept) == (None, (), [])
