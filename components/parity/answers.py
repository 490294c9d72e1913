"""Sends questions to every serving path: questions → a `PathAnswers` each, computed meanwhile.

The class takes an export, then questions. Everything that it starts has ended when the stack is
closed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from components.parity.forked import ForkServer
from components.parity.fresh_process import ask_in_parts
from components.parity.processes import Answers, FreshProcess, NoAnswerError, shortened, spawn
from components.parity.question_sets import QuestionSets
from components.parity.questions import Question
from components.parity.server import GoneError, ServerProcess
from components.parity.serving_paths.batch import Batch
from components.parity.serving_paths.c_api import CApi
from components.parity.serving_paths.grpc import Grpc
from components.parity.serving_paths.protocol import SERVER, ModelAddress, ServingPath
from components.parity.serving_paths.python import Python
from components.parity.serving_paths.rest_columns import RestColumns
from components.parity.serving_paths.rest_examples import RestExamples
from components.parity.serving_paths.rest_rows import RestRows
from components.parity.serving_paths.stream import Stream

# In the order of the report. They are not listed in their package, where each fresh process would
# import all of them.
SERVING_PATHS: tuple[type[ServingPath], ...] = (
    Python,
    CApi,
    RestRows,
    RestColumns,
    RestExamples,
    Grpc,
    Batch,
    Stream,
)


@dataclass(frozen=True)
class PathAnswers:
    """A serving path's questions and answers.

    Attributes:
      name: of the serving path.
      cannot_carry: in words, the values that requests to it cannot contain.
      questions: its questions.
      answers: waits for its answers; raises NoAnswerError where it failed as a whole.
    """

    name: str
    cannot_carry: str
    questions: Sequence[Question]
    answers: Callable[[], Answers]


class Processes:
    """The processes of all serving paths; they load the export at once.

    Args:
      saved_model: the export's folder.
      folder: where processes write.
      stack: ends the processes when it is closed.
    """

    def __init__(self, saved_model: str, folder: str, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._served = [path for path in SERVING_PATHS if path.process == SERVER]
        forks = stack.enter_context(ForkServer(folder))
        if self._served:
            self._server = stack.enter_context(ServerProcess(saved_model, folder, forks.start))
        by_process: dict[str, list[type[ServingPath]]] = {}
        for path in SERVING_PATHS:
            if path.process != SERVER:
                by_process.setdefault(path.process, []).append(path)
        self._fresh = [
            (paths, stack.enter_context(FreshProcess(saved_model, folder, paths, start)))
            for paths in by_process.values()
            for start in [forks.start if paths[0].forked else spawn]
        ]

    def ask(self, sets: QuestionSets) -> Sequence[PathAnswers]:
        """Ask everything; the answers are being computed when this returns."""
        questions = {path: path.questions(sets) for path in SERVING_PATHS}
        answers: dict[type[ServingPath], Callable[[], Answers]] = {}
        written: dict[int, str] = {}
        for paths, process in self._fresh:
            process.ask({path: questions[path] for path in paths}, written)
            answers |= {path: partial(process.answers, path) for path in paths}
        if self._served:
            served = {path: questions[path] for path in self._served}
            answers |= ask_server(self._server.address, self._server.ending, served, self._stack)
        return [
            PathAnswers(path.name, path.cannot_carry, questions[path], answers[path])
            for path in SERVING_PATHS
        ]


def ask_server(
    address: Callable[[], ModelAddress],
    ending: Callable[[], str],
    questions: Mapping[type[ServingPath], Sequence[Question]],
    stack: contextlib.ExitStack,
) -> dict[type[ServingPath], Callable[[], Answers]]:
    """Ask a server in the background, one path after the other.

    Args:
      address: waits for the server.
      ending: returns how it ended, if it did.
      questions: by serving path.
      stack: waits for running requests when it is closed.
    """
    pool = stack.enter_context(ThreadPoolExecutor(max_workers=1))
    started = pool.submit(address)
    return {
        path: pool.submit(_ask, path, started.result, of_path, ending).result
        for path, of_path in questions.items()
    }


def _ask(
    path: type[ServingPath],
    address: Callable[[], ModelAddress],
    questions: Sequence[Question],
    ending: Callable[[], str],
) -> Answers:
    client = path(address())
    try:
        return {question.name: answer_of(client, question) for question in questions}
    except GoneError as error:
        raise GoneError(f"{error}\n{ending()}") from error
    finally:
        client.close()


def answer_of(path: ServingPath, question: Question) -> Mapping[str, np.ndarray] | NoAnswerError:
    """Return a serving path's answer, or why there is none.

    Raises:
      GoneError: the server has ended.
    """
    try:
        return ask_in_parts(path, question.signature, question.feeds, question.rows_per_request)
    except GoneError:
        raise
    except Exception as error:  # noqa: BLE001  # every error is an answer
        known = isinstance(error, NoAnswerError)
        return NoAnswerError(shortened(str(error) if known else f"{type(error).__name__}: {error}"))
