"""gRPC's health checking protocol: whether requests should be sent here, as `/readyz` tells it.

Goes in: serialised requests of grpc.health.v1. Comes out: serialised responses. Promised: no token
is needed, as Kubernetes' probes have none; who watches is told of every change, and let go at the
end.
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

_SERVER = ""  # what the protocol calls the server as a whole
_KNOWN = frozenset({_SERVER, *SERVICES})
_Status = health_pb2.HealthCheckResponse.ServingStatus


class Health:
    """Answers about one service; use it from one event loop.

    Args:
      service: whose state is told.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._news = asyncio.Event()

    def changed(self) -> None:
        """Have those who watch told, if the state is another one."""
        self._news.set()
        self._news = asyncio.Event()

    def check(self, body: bytes) -> bytes:
        """Answer Check.

        Raises:
          RequestError: it is no request, or asks for a service that is not here.
        """
        name = _asked(body)
        if name not in _KNOWN:
            raise RequestError(f"there is no service {excerpt(name)} here", NOT_FOUND)
        return _response(self._status(name))

    async def watch(self, body: bytes) -> AsyncIterator[bytes]:
        """Answer Watch: the state now, and each other one, until the server is about to stop.

        Raises:
          RequestError: it is no request; or, in the end, that the server stops.
        """
        name, told = _asked(body), None
        while True:
            news, status = self._news, self._status(name)
            if status != told:
                told = status
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
    """Return the name of the service that a request asks for."""
    try:
        return str(health_pb2.HealthCheckRequest.FromString(body).service)
    except DecodeError:
        raise RequestError("the request is no grpc.health.v1.HealthCheckRequest") from None


def _response(status: int) -> bytes:
    serialised: bytes = health_pb2.HealthCheckResponse(status=status).SerializeToString()
    return serialised
