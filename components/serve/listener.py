"""The HTTP server: takes requests off the wire, bounds them, and stops without losing any.

Goes in: an `App` and where to listen. Promised: a body beyond the limit is refused unread; on
SIGTERM or SIGINT no new connection is taken, what was asked is answered, and the server returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Any

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

from components.serve.app import Answer, App, Model, refusal
from components.serve.failures import REQUEST_TIMEOUT, TOO_LARGE, RequestError
from components.serve.settings import Address
from schemas.errors import ConfigError

TIMEOUT_HEADER = "Skewless-Timeout"  # seconds

_JSON = "application/json"

# What reading a body raises that is cut off, in broken chunks, or packed wrongly.
_BROKEN = (HttpProcessingError, ClientPayloadError, web.RequestPayloadError, ConnectionError)


class Listener:
    """Serves an `App` over HTTP/1.1.

    Args:
      app: what answers.
      address: where to listen.
    """

    def __init__(self, app: App, address: Address) -> None:
        self._app = app
        self._address = address
        self._stop = asyncio.Event()
        self._open = 0  # requests that are not answered yet
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self, load: Callable[[], Model], ready: Callable[[int], None]) -> None:
        """Listen, load the model, and answer until told to stop.

        Args:
          load: returns the model; called in a thread, while the server answers that it is alive.
          ready: called with the port once the model is served.

        Raises:
          ConfigError: the address cannot be listened at.
        """
        runner = web.ServerRunner(web.Server(self._handle, access_log=None))
        await runner.setup()
        try:
            site = await self._listen(runner)
            with self._told_by(signal.SIGTERM, signal.SIGINT):
                if await self._loaded(load):
                    ready(runner.addresses[0][1])
                    await self._stop.wait()
            await site.stop()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._idle.wait(), self._address.drain_seconds)
        finally:
            await runner.cleanup()
            self._app.close()

    def stop(self) -> None:
        """Tell the server to finish."""
        self._app.drain()
        self._stop.set()

    async def _listen(self, runner: web.ServerRunner) -> web.TCPSite:
        site = web.TCPSite(runner, self._address.host, self._address.port)
        try:
            await site.start()
        except OSError as error:
            raise ConfigError(
                f"cannot listen at {self._address.host}:{self._address.port}: {error.strerror}",
                remedy="give another --host or --port; 0 is any free port",
            ) from error
        return site

    async def _loaded(self, load: Callable[[], Model]) -> bool:
        """Load the model and serve it; False if told to stop meanwhile."""
        loading: asyncio.Future[Any] = asyncio.get_running_loop().run_in_executor(None, load)
        stopping: asyncio.Future[Any] = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait([loading, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not loading.done():
            return False
        self._app.serve(loading.result())
        return True

    @contextlib.contextmanager
    def _told_by(self, *signals: signal.Signals) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in signals:
            loop.add_signal_handler(number, self.stop)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        self._open += 1
        self._idle.clear()
        try:
            answer = await self._answer(request)
        finally:
            self._open -= 1
            if not self._open:
                self._idle.set()
        response = web.Response(body=answer.body, status=answer.status, content_type=_JSON)
        if self._stop.is_set() or answer.status in (REQUEST_TIMEOUT, TOO_LARGE):
            response.force_close()  # what is left of a body would be taken for a request
        return response

    async def _answer(self, request: web.BaseRequest) -> Answer:
        try:
            body = await self._body(request)
        except RequestError as error:
            return refusal(error)
        timeout = request.headers.get(TIMEOUT_HEADER)
        return await self._app.answer(request.method, request.path, body, timeout)

    async def _body(self, request: web.BaseRequest) -> bytes:
        """Return the whole body.

        Raises:
          RequestError: it is too large, or does not arrive in time.
        """
        if not request.body_exists:
            return b""
        limit = self._address.max_bytes
        too_large = RequestError(f"the body has more than {limit} bytes", TOO_LARGE)
        if (request.content_length or 0) > limit:
            raise too_large
        try:
            if request.content.is_eof():  # all of it is here, as with nearly all requests
                body = request.content.read_nowait()
            else:
                seconds = self._address.body_seconds
                body = await asyncio.wait_for(_read(request, limit), seconds)
        except asyncio.TimeoutError:
            raise RequestError("the body did not arrive in time", REQUEST_TIMEOUT) from None
        except _BROKEN as error:
            raise RequestError(f"the body cannot be read: {error}") from None
        if len(body) > limit:
            raise too_large
        return body


async def _read(request: web.BaseRequest, limit: int) -> bytes:
    """Return the body, unpacked where it is packed; of one longer than `limit` only the start."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # of the answer, which has not begun
    body = bytearray()
    while chunk := await request.content.readany():
        body += chunk
        if len(body) > limit:
            break
    return bytes(body)
