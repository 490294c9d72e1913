"""How models are served, in plain data: what the command's options set, and their defaults.

Imported wherever the command's help is written, so nothing heavy is imported here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

HTTP_PORT = 8501  # TensorFlow Serving's, as the next
GRPC_PORT = 8500


@dataclass(frozen=True)
class Limits:
    """How much may wait, and how much is run at once.

    Attributes:
      requests: that may wait.
      rows: that may wait, in all of them.
      batch_rows: of joined requests; a larger request is run by itself.
    """

    requests: int = 1_000
    rows: int = 262_144
    batch_rows: int = 4_096


@dataclass(frozen=True)
class Settings:
    """What is taken from a request.

    Attributes:
      seconds: a request waits for its answer, unless it asks for less.
      max_rows: of a request.
      optional_columns: whether columns with a default may be left out.
      queue: limits of what waits for a version.
      max_bytes_in_flight: of all requests that are not answered yet, over both protocols.
      token: that a request has to show; None where anyone may ask.
    """

    seconds: float = 30.0
    max_rows: int = 65_536
    optional_columns: bool = False
    queue: Limits = field(default_factory=Limits)
    max_bytes_in_flight: int = 128 << 20
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Address:
    """Where to listen, and what is taken from a connection.

    Attributes:
      host: name or number of the interface.
      port: of TCP; 0 for any that is free.
      max_bytes: of a request's body, also once it is unpacked.
      body_seconds: in which a body has to arrive, and an answer to be taken.
      head_bytes: of a request's line and headers.
      head_seconds: in which these have to arrive.
      idle_seconds: after which a connection that asks nothing is closed.
      connections: that may be open at once.
      spare_connections: beyond these, for health checks over HTTP.
      handshakes: of connections that may agree on TLS at once.
      drain_seconds: in which requests are finished once the server is told to stop.
      certificate: file of the certificate chain, PEM; None to speak without TLS.
      key: file of its private key, PEM.
      allowed_hosts: that HTTP requests may name in their Host header (see `hosts`); None for any.
    """

    host: str = "127.0.0.1"
    port: int = HTTP_PORT
    max_bytes: int = 16 << 20
    body_seconds: float = 30.0
    head_bytes: int = 32 << 10
    head_seconds: float = 10.0
    idle_seconds: float = 300.0
    connections: int = 1_000
    spare_connections: int = 16
    handshakes: int = 128
    drain_seconds: float = 30.0
    certificate: str | None = None
    key: str | None = None
    allowed_hosts: tuple[str, ...] | None = None
