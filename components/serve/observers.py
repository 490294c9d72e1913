"""All that watches a server: metrics, access log and request log, made and closed together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.serve.access_log import AccessLog
from components.serve.messages import Observer
from components.serve.metrics import Metrics
from components.serve.request_log import RequestLog, RequestLogSettings

if TYPE_CHECKING:
    from components.serve.versions import Models


@dataclass(frozen=True)
class Observation:
    """What is kept beside the metrics.

    Attributes:
      access_log: a file, or "-" for standard error; None for no access log.
      request_log: where and how much; None for no request log.
    """

    access_log: str | None = None
    request_log: RequestLogSettings | None = None


class Observers:
    """What watches one server.

    Args:
      observation: what is kept.

    Attributes:
      observers: to be told of every exchange.
      metrics: to be told of every batch, and to be asked for its text.
    """

    def __init__(self, observation: Observation) -> None:
        self.metrics = Metrics()
        self._logs: list[AccessLog | RequestLog] = []
        if observation.access_log is not None:
            self._keep("access", AccessLog(observation.access_log))
        if observation.request_log is not None:
            self._keep("request", RequestLog(observation.request_log))
        self.observers: Sequence[Observer] = (self.metrics, *self._logs)

    def watch(self, models: Models) -> None:
        """Tell of these models' versions and queues."""
        self.metrics.watch(models)

    def close(self) -> None:
        """Write what waits, and close all files; blocks, for some seconds at most."""
        for each in (*self._logs, self.metrics):
            each.close()

    def _keep(self, name: str, log: AccessLog | RequestLog) -> None:
        self._logs.append(log)
        self.metrics.watch_log(name, log)
