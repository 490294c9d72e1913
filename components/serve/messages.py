"""What passes between a protocol and the app: requests, answers, and what came of each.

Plain data, so that HTTP, gRPC, metrics and logs need not know each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    """

    method: str
    path: str
    body: bytes = b""
    timeout: str | None = None
    authorization: str | None = None
    peer: str = ""


class Answer(NamedTuple):
    """An HTTP status and a body."""

    status: int
    body: bytes
    content_type: str = JSON


@dataclass(frozen=True)
class Exchange:
    """A request that was answered or refused, as metrics and logs see it.

    Attributes:
      protocol: "rest" or "grpc".
      method: "predict", "classify", "regress", "status", "metadata", …
      model: the name asked for, if there is such a model; otherwise empty, so that no client can
        fill the metrics with names.
      version: that answered; None where none did.
      signature: that was asked; empty where there is none of that name.
      rows: of the request; 0 where it has none.
      status: of HTTP; a gRPC code as the HTTP status that stands for it.
      seconds: from the request's arrival to its answer.
      peer: the client's address.
      inputs: what the signature was given; None where it gave nothing. They and the outputs may be
        parts of larger arrays: copy what is to be kept.
      outputs: what it gave; None where it gave nothing.
    """

    protocol: str
    method: str
    model: str
    version: int | None
    signature: str
    rows: int
    status: int
    seconds: float
    peer: str = ""
    inputs: Arrays | None = None
    outputs: Arrays | None = None


class Observer(Protocol):
    """Is told of every exchange, in the event loop: it must return at once and never raise."""

    def answered(self, exchange: Exchange) -> None:
        """Take note of an exchange."""
