"""The HTTP server: listens, admits connections, and stops without losing any request.

No client holds a connection for longer than the limits of its `Address` allow. After `stop`, no
connection is accepted, and pending requests are answered.
"""

from __future__ import annotations

import asyncio
import contextlib

from components.serve.acceptor import Acceptor
from components.serve.budget import Budget
from components.serve.connection import Connection
from components.serve.hosts import Hosts
from components.serve.places import Place, Places
from components.serve.reader import TIMEOUT_HEADER, RequestHandler
from components.serve.settings import Address, Settings

__all__ = ["TIMEOUT_HEADER", "Listener"]

_GOODBYE_SECONDS = 1.0  # for the closing messages of TLS
_LOOKS = 10  # checks of deadlines within the shortest of them


class Listener:
    """Serves an app over HTTP/1.1; use it from one event loop, which may run other tasks, too.

    Args:
      app: answers the requests.
      address: where to listen, and the limits.
      budget: counts the bytes of bodies; None creates a new one.
    """

    def __init__(self, app: RequestHandler, address: Address, budget: Budget | None = None) -> None:
        self._app = app
        self._address = address
        self._budget = budget or Budget(Settings.max_bytes_in_flight)
        self._hosts = Hosts(address.allowed_hosts)
        self._places = Places(address.connections, address.spare_connections)
        self._connections: set[Connection] = set()
        self._acceptor = Acceptor(address, self._connect)
        self._watching: asyncio.Task[None] | None = None
        self._stopping = False
        self._quiet = asyncio.Event()  # no request is pending
        self._gone = asyncio.Event()  # no connection is open

    async def start(self) -> int:
        """Listen, and return the port.

        Raises:
          ConfigError: listening fails, or the certificate cannot be read.
        """
        port = await self._acceptor.start()
        self._watching = asyncio.create_task(self._watch())
        return port

    async def stop(self, seconds: float) -> None:
        """Accept no new connections, wait this long for pending requests, and close."""
        if self._watching is None:
            return
        self._stopping = True
        self._acceptor.close()
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
        await self._all_gone(_GOODBYE_SECONDS)  # a client may still be receiving its answer
        for connection in list(self._connections):
            connection.abort()
        await self._all_gone(_GOODBYE_SECONDS)
        await self._acceptor.wait_closed()
        self._watching.cancel()

    async def _all_gone(self, seconds: float) -> None:
        if self._connections:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._gone.wait(), seconds)

    def _connect(self) -> Connection:
        return Connection(
            self._app,
            self._address,
            self._budget,
            self._hosts,
            opened=self._opened,
            idle=self._rested,
            closed=self._closed,
        )

    def _opened(self, connection: Connection) -> Place:
        self._connections.add(connection)
        if self._stopping:
            connection.drain()
        return self._places.enter(connection)

    def _closed(self, connection: Connection) -> None:
        self._places.leave(connection)
        self._connections.discard(connection)
        if self._stopping:
            self._rested()
            if not self._connections:
                self._gone.set()

    def _rested(self) -> None:
        if self._stopping and not any(connection.busy for connection in self._connections):
            self._quiet.set()

    async def _watch(self) -> None:
        """Check all deadlines periodically, which is cheaper than a timer for each request."""
        at = self._address
        pause = min(at.head_seconds, at.body_seconds, at.idle_seconds) / _LOOKS
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(pause)
            now = loop.time()
            for connection in list(self._connections):
                connection.look(now)
