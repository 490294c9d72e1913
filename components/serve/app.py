"""A request → an answer, whatever server carries them: routing, parsing, asking the model.

Promised: every answer is JSON, an error is {"error": "…"}, and no error but a fault of ours is a
500, which is logged.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from components.serve import json_text, predict, routes, tf_examples
from components.serve.batcher import Arrays, Batcher
from components.serve.failures import (
    INTERNAL,
    NOT_FOUND,
    TOO_LARGE,
    UNAVAILABLE,
    RequestError,
)
from components.serve.settings import Settings
from components.serve.signature import Signature

OK = 200

_logger = logging.getLogger(__name__)


class Model(Protocol):
    """What is served.

    Attributes:
      signatures: by name.
    """

    signatures: Mapping[str, Signature]

    def run(self, signature: str, inputs: Arrays) -> Arrays:
        """Return a signature's outputs; RequestError where the graph refuses the values."""


@dataclass(frozen=True)
class Answer:
    """An HTTP status and a JSON body."""

    status: int
    body: bytes


class App:
    """Answers requests about one version of one model; use it from one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._signatures: Mapping[str, Signature] = {}
        self._batcher: Batcher | None = None
        self._draining = False

    def serve(self, model: Model) -> None:
        """Answer with this model from now on; until then, requests are told to come back."""
        self._signatures = model.signatures
        self._batcher = Batcher(model.run, self._settings.queue)

    def drain(self) -> None:
        """Tell who asks for readiness to send no more; what comes is still answered."""
        self._draining = True

    def close(self) -> None:
        """Let go of the model's thread."""
        if self._batcher is not None:
            self._batcher.close()

    async def answer(
        self, method: str, path: str, body: bytes = b"", timeout: str | None = None
    ) -> Answer:
        """Answer a request.

        Args:
          method: of HTTP.
          path: without the query.
          body: all of it.
          timeout: the seconds the client waits, as it wrote them.
        """
        try:
            return Answer(OK, await self._answer(method, path, body, timeout))
        except RequestError as error:
            return refusal(error)
        except Exception:
            _logger.exception("a request failed: %s %s", method, path)
            return Answer(INTERNAL, json_text.error("internal error; the server's log tells more"))

    async def _answer(self, method: str, path: str, body: bytes, timeout: str | None) -> bytes:
        route = routes.route(method, path)
        if route.what == routes.HEALTHY:
            return json_text.dumps({"status": "alive"})
        if route.what == routes.READY:
            self._check_ready()
            return json_text.dumps({"status": "ready"})
        self._check_served(route)
        if route.what == routes.STATUS:
            return routes.status(self._settings.version, ready=self._batcher is not None)
        batcher = self._loaded()
        if route.what == routes.METADATA:
            return routes.metadata(self._settings.name, self._settings.version, self._signatures)
        seconds = patience(timeout, self._settings.seconds)
        return await self._ask(batcher, route.what, body, seconds)

    async def _ask(self, batcher: Batcher, method: str, body: bytes, seconds: float) -> bytes:
        document = json_text.loads_object(body)
        name = predict.signature_name(document)
        signature = self._signature(name)
        if method == routes.PREDICT:
            optional = self._settings.optional_columns
            request = predict.parse(document, signature, optional=optional)
            self._check_rows(request.rows)
            outputs = await batcher.ask(name, request.inputs, request.rows, seconds)
            return predict.answer(outputs, by_rows=request.by_rows)
        tf_examples.check_method(method, name, self._signatures)
        inputs = tf_examples.parse(document, signature)
        rows = len(next(iter(inputs.values())))
        self._check_rows(rows)
        outputs = await batcher.ask(name, inputs, rows if signature.batched else None, seconds)
        return tf_examples.answer(method, outputs)

    def _check_ready(self) -> None:
        if self._draining:
            raise RequestError("the server is about to stop", UNAVAILABLE)
        self._loaded()

    def _loaded(self) -> Batcher:
        if self._batcher is None:
            raise RequestError("the model is still being loaded", UNAVAILABLE)
        return self._batcher

    def _check_served(self, route: routes.Route) -> None:
        name, version = self._settings.name, self._settings.version
        if route.name != name:
            asked = json_text.excerpt(route.name)
            raise RequestError(f"there is no model {asked}; {name!r} is served", NOT_FOUND)
        if route.version not in (None, version):
            message = f"model {name!r} has no version {route.version}; {version} is served"
            raise RequestError(message, NOT_FOUND)

    def _signature(self, name: str) -> Signature:
        if name not in self._signatures:
            known = ", ".join(map(repr, sorted(self._signatures)))
            message = f"there is no signature {json_text.excerpt(name)}; there are {known}"
            raise RequestError(message)
        return self._signatures[name]

    def _check_rows(self, rows: int | None) -> None:
        if rows is not None and rows > self._settings.max_rows:
            message = f"{rows} rows; at most {self._settings.max_rows} are taken at once"
            raise RequestError(message, TOO_LARGE)


def refusal(error: RequestError) -> Answer:
    """Return the answer that tells a request why it was refused."""
    return Answer(error.status, json_text.error(error.message))


def patience(timeout: str | None, most: float) -> float:
    """Return the seconds to wait: what the client asks for, and never more than `most`.

    Raises:
      RequestError: the client asks for something else than seconds.
    """
    if timeout is None:
        return most
    try:
        seconds = float(timeout)
    except ValueError:
        seconds = math.nan
    if not seconds > 0:
        asked = json_text.excerpt(timeout)
        raise RequestError(f"the timeout is {asked}; a number of seconds above 0 was expected")
    return min(seconds, most)
