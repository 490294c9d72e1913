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

from components.serve.failures import INTERNAL, UNAVAILABLE, RequestError
from components.serve.grpc_health import Health
from components.serve.grpc_names import CHECK, METHODS, WATCH
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
    "grpc.max_connection_idle_ms": 600_000,
    "grpc.keepalive_time_ms": 60_000,  # finds out about clients that are gone
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc.keepalive_permit_without_calls": 1,
    "grpc.http2.min_ping_interval_without_data_ms": 10_000,  # who pings more often is sent away
    "grpc.max_concurrent_streams": 1_000,  # of a connection
}

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
        self._server: grpc.aio.Server | None = None

    async def start(self) -> int:
        """Listen, and return the port.

        Raises:
          ConfigError: the address cannot be listened at, or the certificate not be read.
        """
        options = {**_OPTIONS, "grpc.max_receive_message_length": self._address.max_bytes}
        server = grpc.aio.server(options=list(options.items()))
        handlers = {method: self._handler(method) for method in METHODS}
        handlers[WATCH] = grpc.unary_stream_rpc_method_handler(self._watch)
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
        async def respond(body: bytes, context: grpc.aio.ServicerContext) -> bytes:
            exchange = Exchange("grpc", METHODS[method], peer=context.peer())
            try:
                response = await self._answer(method, body, context, exchange)
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

        # Bytes in, bytes out: gRPC calls a message that does not parse an internal error.
        return grpc.unary_unary_rpc_method_handler(respond)

    async def _watch(self, body: bytes, context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
        try:
            async for response in self._health.watch(body):
                yield response
        except RequestError as error:
            _refuse(context, error)

    async def _answer(
        self, method: str, body: bytes, context: grpc.aio.ServicerContext, exchange: Exchange
    ) -> bytes:
        if method == CHECK:
            return self._health.check(body)
        metadata = context.invocation_metadata() or ()
        self._service.authorize(next((v for k, v in metadata if k == _AUTHORIZATION), None))
        if self._app is None:
            raise RequestError("the model is still being loaded", UNAVAILABLE)
        remaining = context.time_remaining()
        seconds = math.inf if remaining is None else remaining
        return await self._app.answer(method, body, exchange, seconds)


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
