"""The REST API: turns requests into answers, independent of the HTTP server.

Every answer about a model is JSON, and an error is {"error": "…"}. Only internal faults are a 500,
and they are logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import math
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

from components.serve import (
    json_text,
    predict,
    predictions,
    resources,
    routes,
    tf_examples,
    unpacking,
)
from components.serve.failures import INTERNAL, NOT_FOUND, RequestError
from components.serve.input_names import NamesError
from components.serve.loaded import LoadedVersion
from components.serve.messages import Answer, Arrays, Exchange, Request
from components.serve.predict import Instances
from components.serve.routes import Route
from components.serve.service import Service
from schemas import description

OK = 200
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

# Available without the token: a load balancer has none, and the page asks the user for it.
_OPEN = frozenset({routes.HEALTHY, routes.READY, routes.PAGE})

# Bodies up to this size are read in the event loop: that takes milliseconds, or 20 milliseconds for
# a body of examples.
_SMALL = 64 << 10

_logger = logging.getLogger(__name__)


class _RequestBody(NamedTuple):
    """A parsed body.

    Attributes:
      inputs: the inputs of the signature.
      rows: the number of rows; None if they cannot be batched with others.
      write: encodes the answer.
      named: the name of the list of rows in the body; None if the body has columns.
    """

    inputs: Arrays | Instances
    rows: int | None
    write: Callable[[Arrays], bytes]
    named: str | None


_Done = Callable[["Answer | Exception"], None]
Result = TypeVar("Result")


class App:
    """Answers HTTP requests; use it from one event loop.

    Args:
      service: runs the models.
      metrics: returns the metrics in Prometheus's text format; None without metrics.
      page: returns the answer with the page for people; None without a page.
    """

    def __init__(
        self,
        service: Service,
        metrics: Callable[[], bytes] | None = None,
        page: Callable[[], Answer] | None = None,
    ) -> None:
        self._service = service
        self._asking = set[asyncio.Task[None]]()
        self._metrics, self._page = metrics, page

    def admit(self, path: str, authorization: str | None) -> bool:
        """Check the authorization, before the body is read.

        Args:
          path: percent-decoded, without the query.
          authorization: the header of that name.

        Returns:
          Whether the request may have a body; otherwise only a little of it is read.

        Raises:
          RequestError: the token is missing or wrong.
        """
        if path in routes.OPEN:
            return False
        self._service.authorize(authorization)
        return True

    def answer(self, request: Request, respond: Callable[[Answer], None]) -> None:
        """Answer a request; an error is answered, too.

        Args:
          request: the request as it was read.
          respond: called once with the answer: at once, or in the event loop when it is computed.
        """
        exchange = Exchange("rest", peer=request.peer)

        def done(answer: Answer | Exception) -> None:
            if isinstance(answer, Exception):
                answer = _failure(request, answer)
            self._service.tell(exchange, answer.status)
            respond(answer)

        try:
            answer = self._answer(request, exchange, done)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is answered
            done(error)
        else:
            if answer is not None:
                done(answer)

    def refuse(self, request: Request, error: RequestError) -> Answer:
        """Answer a request that the listener refuses, such as one with too large a body.

        Args:
          request: the part that was read.
          error: the reason.
        """
        exchange = Exchange("rest", peer=request.peer)
        with contextlib.suppress(RequestError):
            exchange.method = routes.route(request.method, request.path).what
        self._service.tell(exchange, error.status)
        return refusal(error)

    def _answer(self, request: Request, exchange: Exchange, done: _Done) -> Answer | None:
        """Answer at once, or return None and call `done` later."""
        service = self._service
        try:
            route = routes.route(request.method, request.path)
        except RequestError:
            service.authorize(request.authorization)  # before the path: it must not leak anything
            raise
        exchange.method = route.what
        if route.what not in _OPEN:
            service.authorize(request.authorization)
        if route.what not in routes.ASKING and route.what != routes.EXPLAIN:
            return self._tell_of(route, exchange)
        loaded = service.find(exchange, route.name, route.version, route.label)
        seconds = patience(request.timeout, service.settings.seconds)
        if route.what == routes.EXPLAIN:
            self._start(self._answer_apart(exchange, loaded, request, seconds, done, self._explain))
            return None
        body: bytes | None = request.body
        if request.unpack_to is not None:
            body = unpacking.unpacked_small(request.body, request.unpack_to)
        if body is not None and len(body) <= _SMALL:
            self._ask(exchange, loaded, body, seconds, done)
        else:
            self._start(self._answer_apart(exchange, loaded, request, seconds, done, self._predict))
        return None

    def _start(self, asking: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(asking)
        self._asking.add(task)  # the event loop keeps only a weak reference
        task.add_done_callback(self._asking.discard)

    def _ask(
        self, exchange: Exchange, loaded: LoadedVersion, body: bytes, seconds: float, done: _Done
    ) -> None:
        """Parse the body in the event loop, and submit it."""
        parsed = self._read(exchange, loaded, body)

        def computed(outputs: Arrays | Exception) -> None:
            if isinstance(outputs, Exception):
                done(outputs)
                return
            try:
                answer = Answer(OK, parsed.write(outputs))
            except Exception as error:  # noqa: BLE001  # as above
                done(error)
            else:
                done(answer)

        self._service.submit(
            exchange, loaded, parsed.inputs, parsed.rows, seconds, computed, parsed.named
        )

    async def _answer_apart(
        self,
        exchange: Exchange,
        loaded: LoadedVersion,
        request: Request,
        seconds: float,
        done: _Done,
        answer: Callable[[Exchange, LoadedVersion, bytes, float], Awaitable[Answer]],
    ) -> None:
        """Unpack and answer a body in threads, so that other requests are answered meanwhile."""
        service, body, most = self._service, request.body, request.unpack_to
        unpacked_bytes = 0
        loaded.hold()  # otherwise its version may be unloaded while the request is parsed
        try:
            if most is not None:
                body = await service.apart(exchange, seconds, unpacking.unpacked, body, most)
                service.budget.take(len(body))
                unpacked_bytes = len(body)
            answered = await answer(exchange, loaded, body, seconds)
        except Exception as error:  # noqa: BLE001  # as above
            done(error)
        else:
            done(answered)
        finally:
            service.budget.give(unpacked_bytes)
            loaded.release()

    async def _predict(
        self, exchange: Exchange, loaded: LoadedVersion, body: bytes, seconds: float
    ) -> Answer:
        """Answer a large request."""
        service = self._service
        parsed = await service.apart(exchange, seconds, self._read, exchange, loaded, body)
        left = exchange.left(seconds)
        outputs = await service.ask(
            exchange, loaded, parsed.inputs, parsed.rows, left, parsed.named
        )
        return Answer(OK, await service.apart(exchange, seconds, parsed.write, outputs))

    async def _explain(
        self, exchange: Exchange, loaded: LoadedVersion, body: bytes, seconds: float
    ) -> Answer:
        """Explain a row, one at a time."""

        def work() -> bytes:
            return loaded.explain(json_text.loads_object(body))

        return Answer(OK, await self._service.apart(exchange, seconds, work))

    def _read(self, exchange: Exchange, loaded: LoadedVersion, body: bytes) -> _RequestBody:
        """Parse a body for the version that answers it."""
        document = json_text.loads_object(body)
        name = predict.signature_name(document)
        signature = self._service.signature(exchange, loaded, name)
        settings = self._service.settings
        if exchange.method == routes.PREDICT:
            try:
                request = predict.parse(document, signature, optional=settings.optional_columns)
            except NamesError as error:
                named = bool(document.get("signature_name"))
                raise error.of(name, named, loaded.signatures) from None
            write = functools.partial(predictions.answer, by_rows=request.by_rows)
            rows = predict.ROWS if request.by_rows else None
            return _RequestBody(request.inputs, request.rows, write, rows)
        tf_examples.check_method(exchange.method, name, loaded.signatures)
        inputs = tf_examples.parse(document, signature, settings.max_rows)
        count = len(next(iter(inputs.values()))) if signature.batched else None
        write = functools.partial(tf_examples.answer, exchange.method)
        return _RequestBody(inputs, count, write, tf_examples.EXAMPLES)

    def _tell_of(self, route: Route, exchange: Exchange) -> Answer:
        """Answer a request about metadata rather than a prediction."""
        service = self._service
        if route.what == routes.HEALTHY:
            return Answer(OK, json_text.dumps({"status": "alive"}))
        if route.what == routes.READY:
            service.check_ready()
            return Answer(OK, json_text.dumps({"status": "ready"}))
        if route.what == routes.METRICS:
            return Answer(OK, _there(self._metrics, route)(), PROMETHEUS)
        if route.what == routes.PAGE:
            return _there(self._page, route)()
        if route.what == routes.MODELS:
            return Answer(OK, resources.models(service.models))
        if route.what == routes.STATUS:
            statuses = service.models.statuses(route.name, route.version, route.label)
            exchange.model = route.name
            return Answer(OK, resources.status(statuses))
        loaded = service.find(exchange, route.name, route.version, route.label)
        if route.what == routes.METADATA:
            body = resources.metadata(loaded.name, loaded.version, loaded.signatures)
            return Answer(OK, body)
        if loaded.description is None:
            what = f"version {loaded.version} of model {loaded.name!r}"
            raise RequestError(f"{what} has no {description.FILE_NAME}", NOT_FOUND)
        return Answer(OK, loaded.description)


def _there(resource: Callable[[], Result] | None, route: Route) -> Callable[[], Result]:
    if resource is None:
        raise RequestError(f"there is no {route.what} here", NOT_FOUND)
    return resource


def _failure(request: Request, error: Exception) -> Answer:
    if isinstance(error, RequestError):
        return refusal(error)
    _logger.error("a request failed: %s %s", request.method, request.path, exc_info=error)
    return Answer(INTERNAL, json_text.error("internal error; see the server's log"))


def refusal(error: RequestError) -> Answer:
    """Return the answer for a refused request."""
    return Answer(error.status, json_text.error(error.message))


def patience(timeout: str | None, most: float) -> float:
    """Return the timeout in seconds: the client's, but not more than `most`.

    Raises:
      RequestError: the client's timeout is not a number of seconds.
    """
    if timeout is None:
        return most
    try:
        seconds = float(timeout)
    except ValueError:
        seconds = math.nan
    if not seconds > 0:
        text = json_text.excerpt(timeout)
        raise RequestError(f"the timeout is {text}; a number of seconds above 0 was expected")
    return min(seconds, most)
