"""Serving paths inside the test's own process, where faults can be planted in their code."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

from components.parity.answers import SERVING_PATHS, PathAnswers, answer_of, ask_server
from components.parity.question_sets import QuestionSets
from components.parity.questions import Question
from components.parity.server import MODEL, START_SECONDS
from components.parity.serving_paths.protocol import SERVER, ModelAddress


def answers_of(name: str, model, questions: Sequence[Question]) -> PathAnswers:
    """Return what a model in this process answers."""
    return PathAnswers(
        name, "", questions, lambda: {q.name: answer_of(model, q) for q in questions}
    )


@contextlib.contextmanager
def every_path(saved_model: str, sets: QuestionSets) -> Iterator[list[PathAnswers]]:
    """Yield the answers of all serving paths, each given in this process."""
    from components.parity.c_api import SavedModel
    from components.parity.python_model import PythonModel
    from components.parity.scoring import BatchJob, StreamJob

    with SavedModel(saved_model) as loaded, server(saved_model) as address:
        yield [
            answers_of("Python", PythonModel(saved_model), sets.without_defaults),
            answers_of("C API", loaded, sets.everything),
            *server_answers(address, sets),
            answers_of("batch", BatchJob(saved_model), sets.files),
            answers_of("stream", StreamJob(saved_model), sets.files),
        ]


@contextlib.contextmanager
def server(saved_model: str) -> Iterator[ModelAddress]:
    """Run the server that `skewless serve` runs, in a thread."""
    from components.serve import folders
    from components.serve.config import ModelConfig
    from components.serve.server import Options, Server
    from components.serve.settings import Address, Settings

    options = Options(
        http=Address(port=0), grpc=Address(port=0), settings=Settings(optional_columns=True)
    )

    async def start():
        made = Server([ModelConfig(MODEL, folders.find(saved_model))], options)
        ports = await made.start()
        await made.loaded()
        return made, ports

    with running_loop() as wait:
        made, ports = wait(start())
        try:
            assert ports.grpc is not None
            yield ModelAddress(saved_model, ports.http, ports.grpc)
        finally:
            wait(made.stop())


@contextlib.contextmanager
def running_loop() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Run a loop in a thread; yield a function that returns the result of a coroutine."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result(
            START_SECONDS
        )
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def server_answers(address: ModelAddress, sets: QuestionSets) -> list[PathAnswers]:
    """Return a server's answers over REST and gRPC, computed already."""
    return path_answers(lambda: address, lambda: "", sets)


def path_answers(
    address: Callable[[], ModelAddress], ending: Callable[[], str], sets: QuestionSets
) -> list[PathAnswers]:
    """Ask every path of a server."""
    questions = {p: p.questions(sets) for p in SERVING_PATHS if p.process == SERVER}
    with contextlib.ExitStack() as stack:
        answers = ask_server(address, ending, questions, stack)
    return [PathAnswers(p.name, p.cannot_carry, questions[p], answers[p]) for p in questions]
