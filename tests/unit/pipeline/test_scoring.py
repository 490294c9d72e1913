"""What ends predict or stream early is said in a line, whatever Beam makes of it."""

import signal
import tempfile

import pytest

from pipeline import scoring
from pipeline.endings import InterruptedRunError, UnexpectedError


@pytest.fixture(autouse=True)
def logs(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def fail_in(stage, number=None):
    with scoring.told(stage):
        try:
            if number is not None:
                signal.raise_signal(number)
        finally:  # as Beam does
            raise RuntimeError("KeyboardInterrupt [while running 'Score']")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_no_failure(number, logs):
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
