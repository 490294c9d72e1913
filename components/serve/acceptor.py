"""Accepts TCP connections, performs TLS handshakes, and limits the number of handshakes.

A client that connects and sends nothing holds a descriptor no longer than the limits allow. When
descriptors run out, accepting waits and open connections continue.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable

from components.serve.settings import Address
from schemas.errors import ConfigError

_BACKLOG = 128
_PAUSE_SECONDS = 0.1  # before the next attempt to accept

_logger = logging.getLogger(__name__)


class Acceptor:
    """Listens, and creates a protocol for each connection; use it from one event loop.

    Args:
      address: where to listen, and the limits.
      make: returns a protocol for a connection.
    """

    def __init__(self, address: Address, make: Callable[[], asyncio.Protocol]) -> None:
        self._address = address
        self._make = make
        self._context: ssl.SSLContext | None = None
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._connecting: dict[asyncio.Task[None], None] = {}  # oldest first

    async def start(self) -> int:
        """Listen, and return the port.

        Raises:
          ConfigError: listening fails, or the certificate cannot be read.
        """
        at = self._address
        self._context = tls_context(at)
        loop = asyncio.get_running_loop()
        try:
            infos = await loop.getaddrinfo(
                at.host, at.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            for family, _, _, _, where in dict.fromkeys(infos):
                self._sockets.append(_listening(family, where))
        except OSError as error:
            self._close()
            raise ConfigError(
                f"cannot listen at {at.host}:{at.port}: {error.strerror}",
                remedy="give another --host or --port; 0 is any free port",
            ) from error
        self._accepting = [loop.create_task(self._accept(each)) for each in self._sockets]
        return int(self._sockets[0].getsockname()[1])

    def close(self) -> None:
        """Accept no more connections; pending handshakes are closed."""
        for task in (*self._accepting, *self._connecting):
            task.cancel()
        self._close()

    async def wait_closed(self) -> None:
        """Wait until all of its tasks have ended."""
        if tasks := [*self._accepting, *self._connecting]:
            await asyncio.wait(tasks)

    def _close(self) -> None:
        for each in self._sockets:
            each.close()
        self._sockets.clear()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        complained = False
        while True:
            try:
                client, _ = await loop.sock_accept(listening)
            except OSError as error:  # no descriptor is left, or the client has disconnected
                if not complained:
                    _logger.error("a connection cannot be accepted: %s", error)
                complained = True
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            complained = False
            if len(self._connecting) >= self._address.handshakes:
                next(iter(self._connecting)).cancel()
            task = loop.create_task(self._connect(client))
            self._connecting[task] = None
            task.add_done_callback(self._connected)

    async def _connect(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        seconds = None if self._context is None else self._address.head_seconds
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._make, client, ssl=self._context, ssl_handshake_timeout=seconds
            )
        except asyncio.CancelledError:
            client.close()
            raise

    def _connected(self, task: asyncio.Task[None]) -> None:
        del self._connecting[task]
        if not task.cancelled():
            error = task.exception()
            if error is not None and not isinstance(error, OSError):  # TLS errors are OSErrors
                _logger.error("a connection failed", exc_info=error)


def tls_context(address: Address) -> ssl.SSLContext | None:
    """Return the TLS context for an address's certificate; None if it has no certificate.

    Raises:
      ConfigError: the certificate or its key cannot be read.
    """
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


def _listening(family: int, where: tuple[object, ...]) -> socket.socket:
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        listening.setblocking(False)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(where)
        listening.listen(_BACKLOG)
        stack.pop_all()
    return listening
