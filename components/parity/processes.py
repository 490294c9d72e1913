"""A fresh process that answers questions about an export, as the asking process sees it.

The class takes questions and returns their answers, or the reason why there are none. The process
has ended when the `with` block is left, and its end is reported however it comes. It does not
outlive the asking process, even if that one is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, BinaryIO, Protocol

import numpy as np

from components.children import bound
from components.parity import fresh_process
from components.parity.fresh_process import (
    ALL_ASKED,
    ANSWERS_FILE,
    CALLS_FILE,
    Call,
    CallResult,
    name_of,
)
from components.parity.questions import Question
from components.parity.serving_paths.protocol import ServingPath
from components.parity.wire import read_arrays, write_arrays
from schemas.errors import SkewlessError

TIMEOUT_SECONDS = 600.0

_ROOT = Path(__file__).resolve().parents[2]  # what `components` is imported from
_COMMAND = (sys.executable, "-m", fresh_process.__name__)
_LONGEST_REASON = 800  # characters


class NoAnswerError(RuntimeError):
    """A process ended without answers, or a question ended in an error; the text is the reason."""


# Signals that a process only gets from outside: the first ends one that uses too much memory.
_KILLED = (signal.SIGKILL, signal.SIGTERM)

# By question: the outputs, or why there are none.
Answers = Mapping[str, Mapping[str, np.ndarray] | NoAnswerError]


class Started(Protocol):
    """A process that was started."""

    @property
    def stdin(self) -> IO[bytes] | None:
        """Its standard input."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """Its standard output, if somebody reads it."""

    def wait(self, timeout: float) -> int:
        """Return its exit code once it has ended."""

    def end(self) -> None:
        """Kill it if it is still running."""


class Start(Protocol):
    """Starts a command, and logs its errors, and its output unless somebody reads that."""

    def __call__(self, command: Sequence[str], log: BinaryIO, *, answers: bool = False) -> Started:
        """Start a command."""


class Spawned(subprocess.Popen[bytes]):
    """A process that imports everything itself."""

    def end(self) -> None:
        """Kill it if it is still running, and wait for it."""
        self.kill()
        self.communicate()


def spawn(command: Sequence[str], log: BinaryIO, *, answers: bool = False) -> Spawned:
    """Start a process of its own.

    Args:
      command: the command.
      log: gets what it prints.
      answers: whether its standard output is read instead.
    """
    return Spawned(
        bound(command, signal.SIGKILL),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if answers else log,
        stderr=log,
    )


class FreshProcess:
    """A process of its own that loads the export and answers questions about it.

    The process starts at once, so that it loads while this process makes the questions.

    Args:
      saved_model: the export's folder.
      folder: where questions and answers are written; may be shared with other processes.
      paths: the serving paths; they work one after the other.
      start: starts the process.
    """

    def __init__(
        self,
        saved_model: str,
        folder: str,
        paths: Sequence[type[ServingPath]],
        start: Start = spawn,
    ) -> None:
        self._folder = folder
        named = ",".join(map(name_of, paths))
        self._log = os.path.join(folder, f"{name_of(paths[0])}.log")
        with open(self._log, "wb") as log:
            # its standard input says that all questions are written, or that we ended
            self._process = start([*_COMMAND, named, os.path.abspath(saved_model), folder], log)
        assert self._process.stdin is not None  # it is a pipe
        self._stdin = self._process.stdin

    def __enter__(self) -> FreshProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.end()

    def ask(
        self,
        questions: Mapping[type[ServingPath], Sequence[Question]],
        written: dict[int, str] | None = None,
    ) -> None:
        """Ask all questions, by serving path; the process computes the answers from now on.

        Args:
          questions: by serving path; they live until the process has answered.
          written: by id of a question's feeds, their file in the folder; gets further ones.
        """
        written = {} if written is None else written
        for path, of_path in questions.items():
            _write_calls(of_path, name_of(path), self._folder, written)
        with contextlib.suppress(BrokenPipeError):  # it has ended: `answers` reports how
            self._stdin.write(ALL_ASKED)
            self._stdin.flush()

    def answers(self, path: type[ServingPath]) -> Answers:
        """Wait for the process; return the outputs, or the error, of each question to a path.

        Raises:
          NoAnswerError: the process failed before the path had answered.
          SkewlessError: something outside ended the process.
        """
        try:
            code = self._process.wait(TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            raise NoAnswerError(f"no answer within {TIMEOUT_SECONDS:g} s") from None
        refuse_killed(code)
        answers_file = os.path.join(self._folder, ANSWERS_FILE.format(path=name_of(path)))
        if not os.path.exists(answers_file):
            raise NoAnswerError(f"{how_it_ended(code)}\n{last_words(self._log)}".strip())
        with open(answers_file, encoding="utf-8") as file:
            answers = [CallResult(**fields) for fields in json.load(file)]
        return {answer.name: self._outputs(answer) for answer in answers}

    def _outputs(self, answer: CallResult) -> Mapping[str, np.ndarray] | NoAnswerError:
        if answer.outputs is None:
            return NoAnswerError(shortened(str(answer.error)))
        return read_arrays(os.path.join(self._folder, answer.outputs))


def last_words(path: str) -> str:
    """Return the end of a process's output."""
    with open(path, encoding="utf-8", errors="replace") as log:
        return shortened("\n".join(line for line in log.read().splitlines() if line.strip()))


def _write_calls(
    questions: Sequence[Question], path: str, folder: str, written: dict[int, str]
) -> None:
    """Write the questions to a path; feeds that another question has, too, are written once."""
    calls = []
    for number, question in enumerate(questions):
        feeds = written.get(id(question.feeds))
        if feeds is None:
            feeds = written[id(question.feeds)] = f"{path}.{number}.feeds.arrow"
            write_arrays(os.path.join(folder, feeds), question.feeds)
        calls.append(Call(question.name, question.signature, feeds, question.rows_per_request))
    with open(os.path.join(folder, CALLS_FILE.format(path=path)), "w", encoding="utf-8") as file:
        json.dump([asdict(call) for call in calls], file)


def environment() -> dict[str, str]:
    """Return this process's environment, in which `components` is found and TensorFlow is quiet."""
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")]))
    return {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONPATH": path}


def how_it_ended(code: int) -> str:
    """Return an exit code in words."""
    if code < 0:
        return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process ended with code {code}"


def refuse_killed(code: int) -> None:
    """Raise an error if a process was ended from outside, which says nothing about the export.

    The stage fails with this error, so that the next run proves the model again.

    Raises:
      SkewlessError: the process was ended from outside.
    """
    if -code in _KILLED:
        raise SkewlessError(
            f"a process of the proof was ended by {signal.Signals(-code).name}",
            expected="processes that run until they have answered",
            remedy="run again, with more memory free if the kernel's log says that it ran out",
        )


def shortened(text: str) -> str:
    """Return the end of a text, where Python and TensorFlow report what went wrong."""
    return text if len(text) <= _LONGEST_REASON else f"… {text[-_LONGEST_REASON:]}"
