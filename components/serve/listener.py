"""The HTTP server: listens, keeps count of connections, and stops without losing any request.

Goes in: an `App` and where to listen. Promised: no client holds a connection for longer than the
limits of its `Address` say; once told to stop, no connection is taken, and what was asked is
answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from components.serve.connection import TIMEOUT_HEADER, Answering, Connection
from components.serve.settings import Address
from schemas.errors import ConfigError

__all__ = ["TIMEOUT_HEADER", "Listener"]

_GOODBYE_SECONDS = 1.0  # for what TLS says at the end
_LOOKS = 10  # at deadlines, within the shortest of them


class Listener:
    """Serves an app over HTTP/1.1; use it from one event loop, beside whatever else runs there.

    Args:
      app: what answers.
      address: where to listen, and the limits.
    """

    def __init__(self, app: Answering, address: Address) -> None:
        self._app = app
        self._address = address
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._watching: asyncio.Task[None] | None = None
        self._stopping = False
        self._quiet = asyncio.Event()  # nothing is being asked
        self._gone = asyncio.Event()  # no connection is left

    async def start(self) -> int:
        """Listen, and return the port.

        Raises:
          ConfigError: the address cannot be listened at, or the certificate not be read.
        """
        at = self._address
        context = _tls(at)
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._connect,
                at.host,
                at.port,
                ssl=context,
                ssl_handshake_timeout=at.head_seconds if context else None,
            )
        except OSError as error:
            raise ConfigError(
                f"cannot listen at {at.host}:{at.port}: {error.strerror}",
                remedy="give another --host or --port; 0 is any free port",
            ) from error
        self._watching = asyncio.create_task(self._watch())
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self, seconds: float) -> None:
        """Take no new connections, wait this long until what was asked is answered, and close."""
        if self._server is None or self._watching is None:
            return
        self._stopping = True
        self._server.close()
        for connection in self._connections:
            connection.drain()
        self._rested()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), seconds)
        for connection in list(self._connections):
            if connection.busy:
                connection.abort()
            else:
                connection.close()
        await self._all_gone(_GOODBYE_SECONDS)  # a client may have to take its answer yet
        for connection in list(self._connections):
            connection.abort()
        await self._all_gone(_GOODBYE_SECONDS)
        self._watching.cancel()

    async def _all_gone(self, seconds: float) -> None:
        if self._connections:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._gone.wait(), seconds)

    def _connect(self) -> Connection:
        return Connection(self._app, self._address, self._opened, self._rested, self._closed)

    def _opened(self, connection: Connection) -> bool:
        self._connections.add(connection)
        if self._stopping:
            connection.drain()
        return len(self._connections) <= self._address.connections

    def _closed(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if self._stopping:
            self._rested()
            if not self._connections:
                self._gone.set()

    def _rested(self) -> None:
        if self._stopping and not any(connection.busy for connection in self._connections):
            self._quiet.set()

    async def _watch(self) -> None:
        """Look at all deadlines again and again: cheaper than a timer a request."""
        at = self._address
        pause = min(at.head_seconds, at.body_seconds, at.idle_seconds) / _LOOKS
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(pause)
            now = loop.time()
            for connection in list(self._connections):
                connection.look(now)


def _tls(address: Address) -> ssl.SSLContext | None:
    if address.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(address.certificate, address.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"the certificate or its key cannot be read: {error}",
            where=f"{address.certificate}, {address.key}",
            expected="PEM files that belong together",
        ) from error
    return context
