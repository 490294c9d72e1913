"""The gRPC server: reads requests, limits them, and stops without losing any.

The port is open at once and answers UNAVAILABLE until the app is there, which imports TensorFlow. A
refusal has the gRPC code of TensorFlow Serving.
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
_MOST_DETAILS = 2_000  # bytes; they are sent as a header, and clients accept 8 KiB of headers
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_OPTIONS = {
    "grpc.so_reuseport": 0,  # otherwise two servers may share a port
    "grpc.max_send_message_length": -1,  # the rows of a request limit its answer
    "grpc.keepalive_time_ms": 60_000,  # detects clients that have disappeared
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc.keepalive_permit_without_calls": 1,
    "grpc.http2.min_ping_interval_without_data_ms": 10_000,  # faster clients are disconnected
    "grpc.max_concurrent_streams": 1_000,  # of a connection
    "grpc.http2.bdp_probe": 0,  # otherwise gRPC buffers megabytes of messages that nobody reads
    "grpc.per_message_decompression": 0,  # it would decompress messages of any size
}

# Health checks need no token, so they have their own limit.
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
      service: authorizes requests and receives their outcomes.
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
          ConfigError: listening fails, or the certificate cannot be read.
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
        """Answer requests with this app from now on."""
        self._app = app

    def changed(self) -> None:
        """Notify clients that watch the server's health; call this after any relevant change."""
        self._health.changed()

    async def stop(self, seconds: float) -> None:
        """Accept no new requests, and wait this long for the pending ones."""
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
                refused = RequestError("internal error; see the server's log", INTERNAL)
            else:
                self._service.tell(exchange, OK)
                return response
            self._service.tell(exchange, refused.status)
            _refuse(context, refused)
            return b""

        # Bytes in, bytes out: gRPC reports a message that does not parse as an internal error. It
        # is declared as a stream of one message, the only kind of call whose reading we control.
        return grpc.stream_unary_rpc_method_handler(respond)

    async def _watch(self, _: object, context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
        self._watchers += 1
        try:
            if self._watchers > _MOST_WATCHERS:
                raise RequestError("too many clients watch the server's health", TOO_MANY)
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
        size = len(body)
        try:
            remaining = context.time_remaining()
            seconds = math.inf if remaining is None else remaining
            if unpacking.is_packed(body):
                body = await self._unpacked(body, exchange, seconds)
                size += len(body)
            return await self._app.answer(method, body, exchange, seconds)
        finally:
            self._service.budget.give(size)

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
    """Return the part of a message that fits into a status."""
    text = message.encode(errors="backslashreplace")
    return text[:_MOST_DETAILS].decode(errors="ignore")


class _Methods(grpc.GenericRpcHandler):
    """Finds the handler of a call by its full name."""

    def __init__(self, handlers: dict[str, grpc.RpcMethodHandler]) -> None:
        self._handlers = handlers

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """Return the handler; None means UNIMPLEMENTED."""
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
