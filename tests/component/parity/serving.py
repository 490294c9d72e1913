"""Ways of serving inside the test's own process, where faults can be planted in their code."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from components.parity.questions import Question
from components.parity.server import MODEL, START_SECONDS, Ports
from components.parity.ways import Plan, Way, answer_of, served


class Loaded:
    """`tf.saved_model.load`, as the fresh process asks it."""

    def __init__(self, saved_model: str) -> None:
        import tensorflow as tf

        self._model = tf.saved_model.load(saved_model)

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        from components.parity.fresh_process import PythonEngine

        return PythonEngine.run(self, signature, feeds)  # type: ignore[arg-type]


def way_of(title: str, engine, asked: Sequence[Question]) -> Way:
    """Return an engine of this process as a way of serving."""
    return Way(title, "", asked, lambda: {q.name: answer_of(engine, q) for q in asked})


@contextlib.contextmanager
def server(saved_model: str) -> Iterator[Ports]:
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
            yield Ports(ports.http, ports.grpc)
        finally:
            wait(made.stop())


@contextlib.contextmanager
def running_loop() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Run a loop in a thread; gives what runs a coroutine there and returns what it returns."""
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


def asked_of_server(ports: Ports, plan: Plan) -> list[Way]:
    """Return REST and gRPC as ways of serving, asked already."""
    with contextlib.ExitStack() as stack:
        return served(partial(lambda p: p, ports), lambda: "", plan, stack)
