"""The data between protocols and apps: requests, answers, and the record of each exchange.

They are plain data, so that HTTP, gRPC, metrics and logs do not depend on each other.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

Arrays = Mapping[str, np.ndarray]

JSON = "application/json"


class Request(NamedTuple):
    """An HTTP request.

    Attributes:
      method: the HTTP method, in capitals.
      path: percent-decoded, without the query.
      body: the whole body.
      timeout: the client's timeout in seconds, as text.
      authorization: the header of that name.
      peer: the client's address.
      unpack_to: the largest decompressed size, if the body is compressed; otherwise None.
    """

    method: str
    path: str
    body: bytes = b""
    timeout: str | None = None
    authorization: str | None = None
    peer: str = ""
    unpack_to: int | None = None


class Answer(NamedTuple):
    """An HTTP status, a body, and additional lines for the head."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[str, ...] = ()


@dataclass(slots=True)
class Exchange:
    """The record of a request, from its arrival to its answer.

    Attributes:
      protocol: "rest" or "grpc".
      method: "predict", "classify", "regress", "status", "metadata", …
      model: the requested name, if there is such a model; otherwise empty, so that no client can
        fill the metrics with names.
      version: the version that answered; None if none did.
      signature: the requested signature; empty if there is no such signature.
      rows: the number of rows; 0 if there are none.
      status: the HTTP status, or the one for a gRPC code; 0 until the request is answered.
      seconds: from the request's arrival to its answer.
      peer: the client's address.
      inputs: the signature's inputs; None if it was not run. Inputs and outputs may be views of
        larger arrays: copy what is to be kept.
      outputs: the signature's outputs; None if it was not run.
      started: the time of arrival, of `time.perf_counter`.
    """

    protocol: str
    method: str = ""
    model: str = ""
    version: int | None = None
    signature: str = ""
    rows: int = 0
    status: int = 0
    seconds: float = 0.0
    peer: str = ""
    inputs: Arrays | None = None
    outputs: Arrays | None = None
    started: float = field(default_factory=time.perf_counter, compare=False)

    def left(self, seconds: float) -> float:
        """Return the rest of the request's timeout in seconds; never less than 0."""
        return max(0.0, seconds - (time.perf_counter() - self.started))


class Observer(Protocol):
    """Receives every finished exchange, in the event loop: it must not block or raise."""

    def answered(self, exchange: Exchange) -> None:
        """Record an exchange."""
