"""A fresh process that answers questions about an export, seen from the process that asks.

Goes in: questions. Comes out: their answers, or why there are none. Promised: the process has
ended when the `with` block is left, and however it ends, that is told.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from components.parity import fresh_process
from components.parity.fresh_process import ANSWERS_FILE, CALLS_FILE, Answer, Call
from components.parity.questions import Question
from components.parity.wire import read_arrays, write_arrays

TIMEOUT_SECONDS = 600.0

_ROOT = Path(__file__).resolve().parents[2]  # what `components` is imported from
_COMMAND = (sys.executable, "-m", fresh_process.__name__)
_LONGEST_REASON = 800  # characters


class NoAnswerError(RuntimeError):
    """The process ended without answers, or a question ended in an error; says why."""


class FreshProcess:
    """A process of its own that loads the export and answers questions about it.

    Starts at once, so that its start-up passes while this process does something else.

    Args:
      engine: how the export is run, one of `fresh_process.ENGINES`.
      saved_model: the export's folder.
      folder: where questions and answers are written; may be shared with other engines.
      asked: the questions.
    """

    def __init__(
        self, engine: str, saved_model: str, folder: str, asked: Sequence[Question]
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._log = os.path.join(folder, f"{engine}.log")
        _write_calls(asked, engine, folder)
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [*_COMMAND, engine, os.path.abspath(saved_model), folder],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> FreshProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # does nothing when it has ended
        self._process.wait()

    def answers(self) -> dict[str, Mapping[str, np.ndarray] | NoAnswerError]:
        """Wait for the process; return the outputs, or the error, of each question.

        Raises:
          NoAnswerError: the process failed as a whole.
        """
        try:
            code = self._process.wait(TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            raise NoAnswerError(f"no answer within {TIMEOUT_SECONDS:g} s") from None
        if code:
            raise NoAnswerError(f"{_how_it_ended(code)}\n{self._last_words()}".strip())
        path = os.path.join(self._folder, ANSWERS_FILE.format(engine=self._engine))
        with open(path, encoding="utf-8") as file:
            answers = [Answer(**fields) for fields in json.load(file)]
        return {answer.name: self._outputs(answer) for answer in answers}

    def _outputs(self, answer: Answer) -> Mapping[str, np.ndarray] | NoAnswerError:
        if answer.outputs is None:
            return NoAnswerError(_shortened(str(answer.error)))
        return read_arrays(os.path.join(self._folder, answer.outputs))

    def _last_words(self) -> str:
        with open(self._log, encoding="utf-8", errors="replace") as log:
            return _shortened("\n".join(line for line in log.read().splitlines() if line.strip()))


def _write_calls(asked: Sequence[Question], engine: str, folder: str) -> None:
    calls = []
    for number, question in enumerate(asked):
        feeds = f"{engine}.{number}.feeds.arrow"
        write_arrays(os.path.join(folder, feeds), question.feeds)
        calls.append(Call(question.name, question.signature, feeds, question.rows_per_request))
    path = os.path.join(folder, CALLS_FILE.format(engine=engine))
    with open(path, "w", encoding="utf-8") as file:
        json.dump([asdict(call) for call in calls], file)


def _environment() -> dict[str, str]:
    """This process's environment, in which `components` is found and TensorFlow is quiet."""
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")]))
    return {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONPATH": path}


def _how_it_ended(code: int) -> str:
    if code < 0:
        return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process ended with code {code}"


def _shortened(text: str) -> str:
    """The end of a text, which is where Python and TensorFlow say what went wrong."""
    return text if len(text) <= _LONGEST_REASON else f"… {text[-_LONGEST_REASON:]}"
