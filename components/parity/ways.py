"""The ways of serving that are proven: what each is asked, how, and what it cannot carry.

Goes in: an export, then rows. Comes out: a `Way` each, whose answers are on their way at once.
Promised: whatever was started has ended when the stack is closed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from components.export import signatures as names
from components.parity.fresh_process import (
    BATCH,
    C_API,
    PYTHON,
    STREAM,
    Engine,
    ask_in_parts,
)
from components.parity.processes import Answers, FreshProcess, NoAnswerError, shortened
from components.parity.questions import (
    Question,
    by_example,
    in_batches,
    in_json,
    of_files,
    over_a_wire,
    questions,
)
from components.parity.rest import RestClient, RestColumns, RestExamples, RestRows
from components.parity.rows import Rows
from components.parity.server import GoneError, Ports, ServerProcess
from schemas.columns import Column

_OF_FILES = "infinite numbers, NUL, and text that is not UTF-8: such rows have to be rejected"
_OF_MESSAGES = f"{_OF_FILES}; NaN apart from missing"
_DENSE = "nothing; a missing value is NaN or an empty text"
_LEFT_OUT = "nothing; a missing value is left out"
_NO_DEFAULTS = f"{_DENSE}, and no column may be left out"


class Client(Engine, Protocol):
    """An engine that asks a server."""

    def close(self) -> None:
        """Hang up."""


@dataclass(frozen=True)
class Way:
    """A way of serving.

    Attributes:
      title: its name in the report.
      cannot_carry: in words, what no request of it can say.
      asked: the questions.
      answers: waits for its answers; raises NoAnswerError where it failed as a whole.
    """

    title: str
    cannot_carry: str
    asked: Sequence[Question]
    answers: Callable[[], Answers]


@dataclass(frozen=True)
class Plan:
    """What each way is asked, by how it is asked."""

    engines: list[Question]
    grpc: list[Question]
    examples: list[Question]
    files: list[Question]
    messages: list[Question]

    @classmethod
    def of(
        cls,
        rows: Rows,
        serving: tuple[Column, ...],
        evaluation: tuple[Column, ...],
        methods: tuple[str, ...],
    ) -> Plan:
        """Make the questions."""
        asked, columns = questions(rows, serving, evaluation, methods), len(serving)
        files = of_files(rows, serving)
        return cls(
            engines=[*asked, *in_batches(asked)],
            grpc=in_json(over_a_wire(asked, columns), rows, columns),
            examples=in_json(by_example(rows, serving, asked), rows, columns),
            files=files,
            messages=in_json(files, rows, columns),
        )

    @property
    def without_defaults(self) -> list[Question]:
        """What Python is asked: the functions it loads know no SignatureDef.defaults."""
        return [question for question in self.engines if not question.leaves_out]

    @property
    def wire(self) -> list[Question]:
        """What REST is asked by Predict; Classify and Regress take `examples`."""
        return [q for q in self.grpc if q.signature not in names.METHOD_NAMES]


class Processes:
    """Every way of serving, in as few processes as possible; they load the export at once.

    Args:
      saved_model: the export's folder.
      folder: where processes write.
      stack: ends the processes when it is closed.
    """

    def __init__(self, saved_model: str, folder: str, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._server = stack.enter_context(ServerProcess(saved_model, folder))
        loaders = (PYTHON, BATCH, STREAM)  # TensorFlow's Python is imported once for the three
        self._python = stack.enter_context(FreshProcess(saved_model, folder, loaders))
        self._c_api = stack.enter_context(FreshProcess(saved_model, folder, (C_API,)))

    def ask(self, plan: Plan) -> Sequence[Way]:
        """Ask everything; the answers are on their way when this returns."""
        python, c_api = self._python, self._c_api
        python.ask({PYTHON: plan.without_defaults, BATCH: plan.files, STREAM: plan.messages})
        c_api.ask({C_API: plan.engines})
        return [
            Way("Python", _NO_DEFAULTS, plan.without_defaults, partial(python.answers, PYTHON)),
            Way("C API", _DENSE, plan.engines, partial(c_api.answers, C_API)),
            *served(self._server.ports, self._server.ending, plan, self._stack),
            Way("batch", _OF_FILES, plan.files, partial(python.answers, BATCH)),
            Way("stream", _OF_MESSAGES, plan.messages, partial(python.answers, STREAM)),
        ]


def served(
    ports: Callable[[], Ports], ending: Callable[[], str], plan: Plan, stack: contextlib.ExitStack
) -> list[Way]:
    """Ask a server in the background, one way after the other.

    Args:
      ports: waits for the server.
      ending: tells how it ended, if it did.
      plan: what is asked.
      stack: waits for what is still asked when it is closed.
    """
    pool = stack.enter_context(ThreadPoolExecutor(max_workers=1))
    told = pool.submit(ports)

    def rest(kind: Callable[[RestClient], Client]) -> Callable[[], Client]:
        return lambda: kind(RestClient(told.result().http))

    def grpc() -> Client:
        from components.parity.grpc_client import GrpcClient

        return GrpcClient(told.result().grpc)

    engines: list[tuple[str, str, list[Question], Callable[[], Client]]] = [
        ("REST rows", _DENSE, plan.wire, rest(RestRows)),
        ("REST columns", _DENSE, plan.wire, rest(RestColumns)),
        ("REST classify, regress", _LEFT_OUT, plan.examples, rest(RestExamples)),
        ("gRPC", _DENSE, plan.grpc, grpc),
    ]
    return [
        Way(title, limits, asked, pool.submit(_ask, engine, asked, ending).result)
        for title, limits, asked, engine in engines
    ]


def _ask(
    connect: Callable[[], Client], asked: Sequence[Question], ending: Callable[[], str]
) -> Answers:
    engine = connect()
    try:
        return {question.name: answer_of(engine, question) for question in asked}
    except GoneError as error:
        raise GoneError(f"{error}\n{ending()}") from error
    finally:
        engine.close()


def answer_of(engine: Engine, question: Question) -> Mapping[str, np.ndarray] | NoAnswerError:
    """Return what an engine answers, or why it does not.

    Raises:
      GoneError: nobody is there to answer.
    """
    try:
        return ask_in_parts(engine, question.signature, question.feeds, question.rows_per_request)
    except GoneError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the answer
        told = (
            str(error) if isinstance(error, NoAnswerError) else f"{type(error).__name__}: {error}"
        )
        return NoAnswerError(shortened(told))
