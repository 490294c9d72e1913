"""Settings of a server as plain data, with the defaults of the command's options.

The command's help needs this module, so it imports nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass, field

HTTP_PORT = 8501  # TensorFlow Serving's default, as is the next one
GRPC_PORT = 8500


@dataclass(frozen=True)
class Limits:
    """Limits of a queue and of a batch.

    Attributes:
      requests: the largest number of waiting requests.
      rows: the largest number of rows in all of them.
      batch_rows: the largest number of rows of joined requests; a larger request runs alone.
    """

    requests: int = 1_000
    rows: int = 262_144
    batch_rows: int = 4_096


@dataclass(frozen=True)
class Settings:
    """Limits on requests.

    Attributes:
      seconds: the timeout of a request, unless it has a shorter one.
      max_rows: the largest number of rows in a request.
      optional_columns: whether columns with a default may be omitted.
      queue: the limits of a version's queue.
      max_bytes_in_flight: the largest size of all unanswered requests, over both protocols.
      token: the token that a request has to show; None to allow everybody.
    """

    seconds: float = 30.0
    max_rows: int = 65_536
    optional_columns: bool = False
    queue: Limits = field(default_factory=Limits)
    max_bytes_in_flight: int = 128 << 20
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Address:
    """An address to listen at, and the limits of its connections.

    Attributes:
      host: name or number of the interface.
      port: the TCP port; 0 for a free one.
      max_bytes: the largest body of a request, also after decompression.
      body_seconds: the time limit for a body to arrive, and for an answer to be received.
      head_bytes: the largest size of a request's line and headers.
      head_seconds: the time limit for these to arrive.
      idle_seconds: the time after which an idle connection is closed.
      connections: the largest number of open connections.
      spare_connections: additional connections for health checks over HTTP.
      handshakes: the largest number of concurrent TLS handshakes.
      drain_seconds: the time limit for pending requests when the server stops.
      certificate: the PEM file of the certificate chain; None for no TLS.
      key: the PEM file of its private key.
      allowed_hosts: allowed values of the Host header in HTTP requests (see `hosts`); None for any.
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
