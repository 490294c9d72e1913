"""What REST and gRPC share: who may ask, what is asked, within which bounds, and who is told of it.

Goes in: arrays for a signature. Comes out: arrays. Each rule stands here once, for both protocols.
"""

from __future__ import annotations

import asyncio
import functools
import hmac
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from components.serve.batcher import Done
from components.serve.budget import Budget
from components.serve.failures import (
    DEADLINE,
    FAILED_PRECONDITION,
    TOO_LARGE,
    UNAUTHENTICATED,
    UNAVAILABLE,
    RequestError,
    RowError,
)
from components.serve.json_text import excerpt
from components.serve.loaded import Loaded
from components.serve.messages import Arrays, Exchange, Observer
from components.serve.predict import Rows
from components.serve.settings import Settings
from components.serve.signature import Signature
from components.serve.versions import Models

_BEARER = "bearer "

Result = TypeVar("Result")


class Service:
    """Answers requests about all models; use it from one event loop.

    Args:
      models: what is served.
      settings: what is taken from a request.
      observers: told of each request, once it is answered or refused.

    Attributes:
      draining: whether the server is about to stop.
      budget: for the bytes of all requests that are not answered yet.
    """

    def __init__(
        self, models: Models, settings: Settings, observers: Sequence[Observer] = ()
    ) -> None:
        self.models = models
        self.settings = settings
        self.draining = False
        self.budget = Budget(settings.max_bytes_in_flight)
        self._observers = observers
        self._token = None if settings.token is None else settings.token.encode()
        self._large = ThreadPoolExecutor(1, "large requests")

    def close(self) -> None:
        """End the thread for large requests, once nothing asks any more."""
        self._large.shutdown()

    def authorize(self, authorization: str | None) -> None:
        """Check that a request shows the token, if one is set.

        Raises:
          RequestError: it does not.
        """
        if self._token is None:
            return
        shown = authorization or ""
        if not shown.lower().startswith(_BEARER):
            raise RequestError("'Authorization: Bearer TOKEN' is missing", UNAUTHENTICATED)
        # A header may hold anything, and compare_digest takes no text beyond ASCII.
        given = shown[len(_BEARER) :].strip().encode(errors="surrogateescape")
        if not hmac.compare_digest(given, self._token):
            raise RequestError("the bearer token is not the right one", UNAUTHENTICATED)

    def check_ready(self) -> None:
        """Check that requests should be sent here.

        Raises:
          RequestError: the server is about to stop, or a model does not answer yet, or not yet
            under one of its labels.
        """
        if self.draining:
            raise RequestError("the server is about to stop", UNAVAILABLE)
        if not self.models.ready:
            for name in self.models.configs:
                self.models.find(name)
            missing = "a label's version is still being loaded"
            raise RequestError(
                missing if self.models.configs else "no model is served", UNAVAILABLE
            )

    def find(
        self, exchange: Exchange, name: str, version: int | None = None, label: str | None = None
    ) -> Loaded:
        """Return the version that answers a request, and note it.

        Raises:
          RequestError: it is not there, or not yet.
        """
        loaded = self.models.find(name, version, label)
        exchange.model = loaded.name
        exchange.version = loaded.version
        return loaded

    def signature(self, exchange: Exchange, loaded: Loaded, name: str) -> Signature:
        """Return a signature, and note it.

        Raises:
          RequestError: there is none of this name.
        """
        signature = loaded.signatures.get(name)
        if signature is None:
            known = ", ".join(map(repr, sorted(loaded.signatures)))
            message = f"there is no signature {excerpt(name)}; there are {known}"
            raise RequestError(message, code=FAILED_PRECONDITION)
        exchange.signature = name
        return signature

    def submit(
        self,
        exchange: Exchange,
        loaded: Loaded,
        inputs: Arrays | Rows,
        rows: int | None,
        seconds: float,
        done: Callable[[Arrays | Exception], None],
        named: str | None = None,
    ) -> None:
        """Have the outputs of the signature that `exchange` names computed.

        Args:
          exchange: of the request.
          loaded: the version that answers.
          inputs: an array an input, or rows to be made arrays.
          rows: of the request; None where it cannot be joined with others.
          seconds: to wait for the answer.
          done: called later, once, with the outputs, or with what the queue or the graph refused.
          named: the name of the list of rows in the request; None where it has columns.

        Raises:
          RequestError: too many rows, or too many requests wait; `done` is not called.
        """
        if rows is not None and rows > self.settings.max_rows:
            message = f"{rows} rows; at most {self.settings.max_rows} are taken at once"
            raise RequestError(message, TOO_LARGE)
        exchange.rows = rows or 0

        def computed(result: Done | Exception) -> None:
            loaded.release()
            if isinstance(result, Done):
                exchange.inputs, exchange.outputs = result
                done(result.outputs)
            else:
                done(result.within(named) if isinstance(result, RowError) else result)

        loaded.batcher.submit(exchange.signature, inputs, rows, seconds, computed)
        loaded.hold()

    async def ask(
        self,
        exchange: Exchange,
        loaded: Loaded,
        inputs: Arrays | Rows,
        rows: int | None,
        seconds: float,
        named: str | None = None,
    ) -> Arrays:
        """Return what `submit` computes.

        Raises:
          RequestError: what `submit`, the queue and the graph refuse.
        """
        future: asyncio.Future[Arrays] = asyncio.get_running_loop().create_future()
        self.submit(
            exchange, loaded, inputs, rows, seconds, functools.partial(_settle, future), named
        )
        try:
            return await future
        finally:
            del future  # an error's traceback holds this frame, and the future the error

    async def apart(
        self, exchange: Exchange, seconds: float, work: Callable[..., Result], *arguments: Any
    ) -> Result:
        """Do what takes long for a large request in a thread, so that others are answered.

        One such request is worked at, and others wait, so that no number of them takes the machine.

        Args:
          exchange: of the request.
          seconds: that the request may take in all.
          work: called in the thread.
          *arguments: of `work`.

        Raises:
          RequestError: the time is over, or what `work` refuses.
        """
        outcome = await self._outcome(exchange, seconds, functools.partial(work, *arguments))
        if isinstance(outcome, RequestError):
            try:
                raise outcome
            finally:
                del outcome  # its traceback holds this frame, and all that was read
        return outcome

    async def _outcome(
        self, exchange: Exchange, seconds: float, work: Callable[[], Result]
    ) -> Result | RequestError:
        loop = asyncio.get_running_loop()
        doing = loop.run_in_executor(self._large, _done, work)
        try:
            return await asyncio.wait_for(doing, exchange.left(seconds))
        except asyncio.TimeoutError:
            raise RequestError(f"no answer within {seconds:g} s", DEADLINE) from None

    def tell(self, exchange: Exchange, status: int) -> None:
        """Tell all observers what came of a request."""
        exchange.status = status
        exchange.seconds = time.perf_counter() - exchange.started
        for observer in self._observers:
            observer.answered(exchange)


def _done(work: Callable[[], Result]) -> Result | RequestError:
    """Return what work gives, or why it refuses, without the frames in which it did."""
    try:
        return work()
    except RequestError as error:
        return error.with_traceback(None)


def _settle(future: asyncio.Future[Arrays], result: Arrays | Exception) -> None:
    if future.done():  # nobody waits any more
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
