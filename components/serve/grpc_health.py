"""gRPC's health checking protocol: whether this server accepts requests, like `/readyz`.

Health checks need no token, as Kubernetes' probes have none. A watching client receives every
change, and is disconnected when the server stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2

from components.serve.failures import NOT_FOUND, UNAVAILABLE, RequestError
from components.serve.grpc_names import SERVICES
from components.serve.json_text import excerpt
from components.serve.service import Service

_SERVER = ""  # the protocol's name for the server as a whole
_KNOWN = frozenset({_SERVER, *SERVICES})
_Status = health_pb2.HealthCheckResponse.ServingStatus


class Health:
    """Answers health checks of one service; use it from one event loop.

    Args:
      service: the service whose state is reported.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._news = asyncio.Event()

    def changed(self) -> None:
        """Notify watching clients if the state has changed."""
        self._news.set()
        self._news = asyncio.Event()

    def check(self, body: bytes) -> bytes:
        """Answer Check.

        Raises:
          RequestError: the request is malformed, or names an unknown service.
        """
        name = _asked(body)
        if name not in _KNOWN:
            raise RequestError(f"there is no service {excerpt(name)} here", NOT_FOUND)
        return _response(self._status(name))

    async def watch(self, body: bytes) -> AsyncIterator[bytes]:
        """Answer Watch: the state now, and each change, until the server stops.

        Raises:
          RequestError: the request is malformed; or, at the end, the server stops.
        """
        name, last = _asked(body), None
        while True:
            news, status = self._news, self._status(name)
            if status != last:
                last = status
                yield _response(status)
            if self._service.draining:
                raise RequestError("the server is about to stop", UNAVAILABLE)
            await news.wait()

    def _status(self, name: str) -> int:
        if name not in _KNOWN:
            return int(_Status.Value("SERVICE_UNKNOWN"))
        try:
            self._service.check_ready()
        except RequestError:
            return int(_Status.Value("NOT_SERVING"))
        return int(_Status.Value("SERVING"))


def _asked(body: bytes) -> str:
    """Return the name of the service in a request."""
    try:
        return str(health_pb2.HealthCheckRequest.FromString(body).service)
    except DecodeError:
        raise RequestError("the request is not a grpc.health.v1.HealthCheckRequest") from None


def _response(status: int) -> bytes:
    serialised: bytes = health_pb2.HealthCheckResponse(status=status).SerializeToString()
    return serialised
