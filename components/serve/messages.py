"""What passes between a protocol and the app: requests, answers, and what came of each.

Plain data, so that HTTP, gRPC, metrics and logs need not know each other.
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
    """An HTTP request, off the wire.

    Attributes:
      method: of HTTP, in capitals.
      path: percent-decoded, without the query.
      body: all of it.
      timeout: the seconds the client waits, as it wrote them.
      authorization: the header of that name.
      peer: the client's address.
      unpack_to: the most bytes that the body may hold, if it is packed; None if it is not.
    """

    method: str
    path: str
    body: bytes = b""
    timeout: str | None = None
    authorization: str | None = None
    peer: str = ""
    unpack_to: int | None = None


class Answer(NamedTuple):
    """An HTTP status, a body, and lines that its head has beside the usual ones."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[str, ...] = ()


@dataclass(slots=True)
class Exchange:
    """A request, what is known of it so far, and what came of it in the end.

    Attributes:
      protocol: "rest" or "grpc".
      method: "predict", "classify", "regress", "status", "metadata", …
      model: the name asked for, if there is such a model; otherwise empty, so that no client can
        fill the metrics with names.
      version: that answered; None where none did.
      signature: that was asked; empty where there is none of that name.
      rows: of the request; 0 where it has none.
      status: of HTTP; a gRPC code as the HTTP status that stands for it; 0 until it is answered.
      seconds: from the request's arrival to its answer.
      peer: the client's address.
      inputs: what the signature was given; None where it gave nothing. They and the outputs may be
        parts of larger arrays: copy what is to be kept.
      outputs: what it gave; None where it gave nothing.
      started: when the request arrived, of `time.perf_counter`.
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
        """Return what is left of the seconds that the request may take; never less than 0."""
        return max(0.0, seconds - (time.perf_counter() - self.started))


class Observer(Protocol):
    """Is told of every exchange once it is over, in the event loop: it may not wait, nor raise."""

    def answered(self, exchange: Exchange) -> None:
        """Take note of an exchange."""
