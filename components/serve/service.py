"""What REST and gRPC share: authorization, models, limits and observers.

It turns the input arrays of a signature into its output arrays. Each rule is implemented here once.
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
from components.serve.loaded import LoadedVersion
from components.serve.messages import Arrays, Exchange, Observer
from components.serve.predict import Instances
from components.serve.settings import Settings
from components.serve.signature import Signature
from components.serve.versions import Models

_BEARER = "bearer "

Result = TypeVar("Result")


class Service:
    """Runs requests on all models; use it from one event loop.

    Args:
      models: the served models.
      settings: limits on requests.
      observers: receive each request, once it is answered or refused.

    Attributes:
      draining: whether the server is about to stop.
      budget: counts the bytes of all unanswered requests.
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
        """End the thread for large requests; call this after all requests are answered."""
        self._large.shutdown()

    def authorize(self, authorization: str | None) -> None:
        """Check that a request shows the token, if one is set.

        Raises:
          RequestError: it shows none, or a wrong one.
        """
        if self._token is None:
            return
        shown = authorization or ""
        if not shown.lower().startswith(_BEARER):
            raise RequestError("'Authorization: Bearer TOKEN' is missing", UNAUTHENTICATED)
        # A header may have any bytes, and compare_digest accepts only ASCII text.
        token = shown[len(_BEARER) :].strip().encode(errors="surrogateescape")
        if not hmac.compare_digest(token, self._token):
            raise RequestError("the bearer token is not the right one", UNAUTHENTICATED)

    def check_ready(self) -> None:
        """Check that this server should receive requests.

        Raises:
          RequestError: the server is about to stop, or a model or one of its labels is not ready.
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
    ) -> LoadedVersion:
        """Return the version for a request, and record it.

        Raises:
          RequestError: there is no such version, or it is not ready.
        """
        loaded = self.models.find(name, version, label)
        exchange.model = loaded.name
        exchange.version = loaded.version
        return loaded

    def signature(self, exchange: Exchange, loaded: LoadedVersion, name: str) -> Signature:
        """Return a signature, and record it.

        Raises:
          RequestError: there is no such signature.
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
        loaded: LoadedVersion,
        inputs: Arrays | Instances,
        rows: int | None,
        seconds: float,
        done: Callable[[Arrays | Exception], None],
        named: str | None = None,
    ) -> None:
        """Compute the outputs of the signature of `exchange`.

        Args:
          exchange: the record of the request.
          loaded: the version to run.
          inputs: an array for each input, or rows that are not converted yet.
          rows: the number of rows; None if they cannot be batched with others.
          seconds: the timeout.
          done: called once, later, with the outputs, or with an error of the queue or the graph.
          named: the name of the list of rows in the request; None if it has columns.

        Raises:
          RequestError: there are too many rows, or too many requests wait; `done` is not called.
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
        loaded: LoadedVersion,
        inputs: Arrays | Instances,
        rows: int | None,
        seconds: float,
        named: str | None = None,
    ) -> Arrays:
        """Run a signature like `submit`, and return its outputs.

        Raises:
          RequestError: like `submit`, or an error of the queue or the graph.
        """
        future: asyncio.Future[Arrays] = asyncio.get_running_loop().create_future()
        self.submit(
            exchange, loaded, inputs, rows, seconds, functools.partial(_settle, future), named
        )
        try:
            return await future
        finally:
            del future  # an error's traceback refers to this frame, and the future to the error

    async def apart(
        self, exchange: Exchange, seconds: float, work: Callable[..., Result], *arguments: Any
    ) -> Result:
        """Do the slow work for a large request in a thread, so that others are answered meanwhile.

        One such request is processed at a time, so that they cannot use up the machine.

        Args:
          exchange: the record of the request.
          seconds: the timeout of the whole request.
          work: called in the thread.
          *arguments: the arguments of `work`.

        Raises:
          RequestError: the time is over, or `work` raised it.
        """
        outcome = await self._outcome(exchange, seconds, functools.partial(work, *arguments))
        if isinstance(outcome, RequestError):
            try:
                raise outcome
            finally:
                del outcome  # its traceback refers to this frame, and so to all that was read
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
        """Report a finished request to all observers."""
        exchange.status = status
        exchange.seconds = time.perf_counter() - exchange.started
        for observer in self._observers:
            observer.answered(exchange)


def _done(work: Callable[[], Result]) -> Result | RequestError:
    """Return the result of work, or its refusal without the frames of its traceback."""
    try:
        return work()
    except RequestError as error:
        return error.with_traceback(None)


def _settle(future: asyncio.Future[Arrays], result: Arrays | Exception) -> None:
    if future.done():  # the caller has stopped waiting
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
