"""How a model is served, in plain data: what the command's options set, and their defaults.

Imported wherever the command's help is written, so nothing heavy is imported here.
"""

from __future__ import annotations

from dataclasses import dataclass, field


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
    """How to serve.

    Attributes:
      name: of the model in paths.
      version: of the model in paths.
      seconds: a request waits for its answer, unless it asks for less.
      max_rows: of a request.
      optional_columns: whether columns with a default may be left out.
      queue: limits of what waits.
    """

    name: str
    version: int
    seconds: float = 30.0
    max_rows: int = 65_536
    optional_columns: bool = False
    queue: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Address:
    """Where to listen, and what is taken from a connection.

    Attributes:
      host: name or number of the interface.
      port: of TCP; 0 for any that is free.
      max_bytes: of a request's body.
      body_seconds: in which a body has to arrive.
      drain_seconds: in which requests are finished once the server is told to stop.
    """

    host: str = "127.0.0.1"
    port: int = 8501
    max_bytes: int = 16 << 20
    body_seconds: float = 30.0
    drain_seconds: float = 30.0
