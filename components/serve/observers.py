"""All observers of a server, created and closed together: metrics, access log and request log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.serve.access_log import AccessLog
from components.serve.messages import Observer
from components.serve.metrics import ServerMetrics
from components.serve.request_log import RequestLog, RequestLogSettings

if TYPE_CHECKING:
    from components.serve.versions import Models


@dataclass(frozen=True)
class Observation:
    """Which logs are kept in addition to the metrics.

    Attributes:
      access_log: a file, or "-" for standard error; None for no access log.
      request_log: its settings; None for no request log.
    """

    access_log: str | None = None
    request_log: RequestLogSettings | None = None


class Observers:
    """The observers of one server.

    Args:
      observation: which logs to keep.

    Attributes:
      observers: receive every exchange.
      metrics: receives every batch, and has the text for Prometheus.
    """

    def __init__(self, observation: Observation) -> None:
        self.metrics = ServerMetrics()
        self._logs: list[AccessLog | RequestLog] = []
        if observation.access_log is not None:
            self._keep("access", AccessLog(observation.access_log))
        if observation.request_log is not None:
            self._keep("request", RequestLog(observation.request_log))
        self.observers: Sequence[Observer] = (self.metrics, *self._logs)

    def watch(self, models: Models) -> None:
        """Report versions and queues of these models."""
        self.metrics.watch(models)

    def close(self) -> None:
        """Write what is waiting, and close all files; blocks for some seconds at most."""
        for each in (*self._logs, self.metrics):
            each.close()

    def _keep(self, name: str, log: AccessLog | RequestLog) -> None:
        self._logs.append(log)
        self.metrics.watch_log(name, log)
