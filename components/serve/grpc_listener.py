"""The gRPC server: takes requests off the wire, bounds them, and stops without losing any.

Goes in: a `GrpcApp`, once TensorFlow is imported, and where to listen. Promised: the port is there
at once and answers UNAVAILABLE until then; a refusal is the gRPC code of TensorFlow Serving's.
"""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator
from typing import Protocol

import grpc

from components.serve import unpacking
from components.serve.budget import Budget
from components.serve.failures import INTERNAL, TOO_MANY, UNAVAILABLE, RequestError
from components.serve.grpc_health import Health
from components.serve.grpc_names import CHECK, METHODS, WATCH
from components.serve.grpc_reading import MessageReader
from components.serve.messages import Exchange
from components.serve.service import Service
from components.serve.settings import Address
from schemas.errors import ConfigError

OK = 200

_AUTHORIZATION = "authorization"
_MOST_DETAILS = 2_000  # bytes; they travel as a header, of which clients take 8 KiB
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_OPTIONS = {
    "grpc.so_reuseport": 0,  # or a port that is taken would be shared
    "grpc.max_send_message_length": -1,  # an answer is bounded by the rows that were asked
    "grpc.keepalive_time_ms": 60_000,  # finds out about clients that are gone
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc.keepalive_permit_without_calls": 1,
    "grpc.http2.min_ping_interval_without_data_ms": 10_000,  # who pings more often is sent away
    "grpc.max_concurrent_streams": 1_000,  # of a connection
    "grpc.http2.bdp_probe": 0,  # or megabytes would be taken of messages that nobody reads
    "grpc.per_message_decompression": 0,  # which would unpack whatever comes, however much it is
}

# Health checks need no token, so what they may take is apart from what others may.
_HEALTH_MESSAGES = 4  # that arrive slowly
_MOST_WATCHERS = 1_000

_logger = logging.getLogger(__name__)


class _App(Protocol):
    async def answer(
        self, method: str, body: bytes, exchange: Exchange, seconds: float
    ) -> bytes: ...


class GrpcListener:
    """Serves TensorFlow Serving's PredictionService and ModelService, and gRPC's Health.

    Args:
      service: told of each request, and asked who may.
      address: where to listen.
    """

    def __init__(self, service: Service, address: Address) -> None:
        self._service = service
        self._address = address
        self._app: _App | None = None
        self._health = Health(service)
        most, seconds = address.max_bytes, address.body_seconds
        self._reader = MessageReader(service.budget, most, seconds)
        checks = Budget(2 * _HEALTH_MESSAGES * most)
        self._checks = MessageReader(checks, most, seconds)
        self._check_budget = checks
        self._watchers = 0
        self._server: grpc.aio.Server | None = None

    async def start(self) -> int:
        """Listen, and return the port.

        Raises:
          ConfigError: the address cannot be listened at, or the certificate not be read.
        """
        at = self._address
        options = {
            **_OPTIONS,
            "grpc.max_receive_message_length": at.max_bytes,
            "grpc.max_allowed_incoming_connections": at.connections,
            "grpc.server_handshake_timeout_ms": int(at.head_seconds * 1_000),
            "grpc.max_connection_idle_ms": int(at.idle_seconds * 1_000),
        }
        server = grpc.aio.server(options=list(options.items()))
        handlers = {method: self._handler(method) for method in METHODS}
        handlers[WATCH] = grpc.stream_stream_rpc_method_handler(self._watch)
        server.add_generic_rpc_handlers((_Methods(handlers),))
        port = _bind(server, self._address)
        await server.start()
        self._server = server
        return port

    def serve(self, app: _App) -> None:
        """Answer with this from now on."""
        self._app = app

    def changed(self) -> None:
        """Tell who watches the server's health, after anything that it depends on."""
        self._health.changed()

    async def stop(self, seconds: float) -> None:
        """Take no new requests, and wait this long until those that came are answered."""
        self.changed()
        if self._server is not None:
            await self._server.stop(seconds)

    def _handler(self, method: str) -> grpc.RpcMethodHandler:
        async def respond(_: object, context: grpc.aio.ServicerContext) -> bytes:
            exchange = Exchange("grpc", METHODS[method], peer=context.peer())
            try:
                response = await self._answer(method, context, exchange)
            except RequestError as error:
                refused = error
            except Exception:
                _logger.exception("a request failed: %s", method)
                refused = RequestError("internal error; the server's log tells more", INTERNAL)
            else:
                self._service.tell(exchange, OK)
                return response
            self._service.tell(exchange, refused.status)
            _refuse(context, refused)
            return b""

        # Bytes in, bytes out: gRPC calls a message that does not parse an internal error. To gRPC
        # it is a stream of one message, as no other kind of call leaves its reading to us.
        return grpc.stream_unary_rpc_method_handler(respond)

    async def _watch(self, _: object, context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
        self._watchers += 1
        try:
            if self._watchers > _MOST_WATCHERS:
                raise RequestError("too many watch the server's health already", TOO_MANY)
            async for response in self._health.watch(await self._read_check(context)):
                yield response
        except RequestError as error:
            _refuse(context, error)
        finally:
            self._watchers -= 1

    async def _read_check(self, context: grpc.aio.ServicerContext) -> bytes:
        body = await self._checks.read(context.read)
        self._check_budget.give(len(body))  # it is parsed at once
        return body

    async def _answer(
        self, method: str, context: grpc.aio.ServicerContext, exchange: Exchange
    ) -> bytes:
        if method == CHECK:
            return self._health.check(await self._read_check(context))
        metadata = context.invocation_metadata() or ()
        self._service.authorize(next((v for k, v in metadata if k == _AUTHORIZATION), None))
        if self._app is None:
            raise RequestError("the model is still being loaded", UNAVAILABLE)
        body = await self._reader.read(context.read)
        taken = len(body)
        try:
            remaining = context.time_remaining()
            seconds = math.inf if remaining is None else remaining
            if unpacking.is_packed(body):
                body = await self._unpacked(body, exchange, seconds)
                taken += len(body)
            return await self._app.answer(method, body, exchange, seconds)
        finally:
            self._service.budget.give(taken)

    async def _unpacked(self, body: bytes, exchange: Exchange, seconds: float) -> bytes:
        most, service = self._address.max_bytes, self._service
        plain = unpacking.unpacked_small(body, most)
        if plain is None:
            seconds = min(seconds, service.settings.seconds)
            plain = await service.apart(exchange, seconds, unpacking.unpacked, body, most)
        service.budget.take(len(plain))
        return plain


def _refuse(context: grpc.aio.ServicerContext, error: RequestError) -> None:
    context.set_code(_CODES[error.code])
    context.set_details(_details(error.message))


def _details(message: str) -> str:
    """Return what a status can carry of a message."""
    text = message.encode(errors="backslashreplace")
    return text[:_MOST_DETAILS].decode(errors="ignore")


class _Methods(grpc.GenericRpcHandler):
    """Finds the handler of a call by its full name."""

    def __init__(self, handlers: dict[str, grpc.RpcMethodHandler]) -> None:
        self._handlers = handlers

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """Return the handler; None for UNIMPLEMENTED."""
        return self._handlers.get(details.method)


def _bind(server: grpc.aio.Server, address: Address) -> int:
    host = f"[{address.host}]" if ":" in address.host else address.host
    where = f"{host}:{address.port}"
    try:
        if address.certificate is None or address.key is None:
            port = server.add_insecure_port(where)
        else:
            with open(address.certificate, "rb") as chain, open(address.key, "rb") as key:
                pair = (key.read(), chain.read())
            port = server.add_secure_port(where, grpc.ssl_server_credentials([pair]))
    except OSError as error:
        raise ConfigError(
            f"the certificate or its key cannot be read: {error}",
            where=f"{address.certificate}, {address.key}",
            expected="PEM files that belong together",
        ) from error
    except RuntimeError as error:
        raise ConfigError(
            f"cannot listen at {where}: {error}",
            remedy="give another --host or --grpc-port; 0 is any free port",
        ) from error
    return int(port)
