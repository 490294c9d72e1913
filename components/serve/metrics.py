"""Metrics for Prometheus: requests, batches, queues, versions, and values of columns.

Recording an exchange takes microseconds. No client can add series, because labels are names of
served models and versions. Values of columns are counted in a separate thread, for a limited number
of requests a second.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from components.serve.background import Background
from components.serve.column_counts import Columns
from components.serve.messages import Arrays, Exchange
from components.serve.request_log import size_of
from schemas.description import Description

if TYPE_CHECKING:
    from components.serve.versions import Models

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096, 16_384, 65_536)

# Labels are existing models, versions and statuses, but a server that runs for years sees many
# versions. After this many series, further versions are counted as "other".
_MOST_SERIES = 2_000
_OTHER = "other"

_LOOKS_A_SECOND = 50  # requests whose columns are counted, per second
_MOST_WAITING = 16 << 20  # bytes of their inputs

_ASKED = ("protocol", "method", "model", "version", "status")
_COLUMN = ("model", "version", "column")

_logger = logging.getLogger(__name__)


class Log(Protocol):
    """A log that reports its state."""

    written: int
    failed: int
    failing: bool

    @property
    def dropped(self) -> int:
        """Lines or requests that were dropped because too many were waiting."""


class _Series(NamedTuple):
    """The counters for exchanges of one kind."""

    seconds: Histogram
    rows: Counter


class _Look(NamedTuple):
    """A request whose columns are to be counted."""

    columns: Columns
    model: str
    version: str
    signature: str
    inputs: Arrays


class ServerMetrics:
    """Counts requests and their results; an `Observer`.

    Each instance has its own registry, so that several servers in a process do not mix.
    """

    def __init__(self) -> None:
        disable_created_metrics()  # they add a useless line for every series
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._seconds = Histogram(
            "skewless_request_seconds",
            "From a request's arrival to its answer; status is HTTP's.",
            _ASKED,
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._rows = self._counter("request_rows", "Rows of requests.", _ASKED)
        self._errors = self._counter("request_errors", "Requests refused or failed.", _ASKED)
        self._batch_rows, self._batch_requests = (
            Histogram(
                f"skewless_batch_{what}",
                f"{what.capitalize()} that were computed at once.",
                buckets=_SIZES,
                registry=self.registry,
            )
            for what in ("rows", "requests")
        )
        self._batch_seconds = Histogram(
            "skewless_batch_seconds",
            "Computing a batch.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._values = self._counter("column_values", "Rows whose column was looked at.", _COLUMN)
        self._missing = self._counter("column_missing", "Of these, without a value.", _COLUMN)
        self._unknown = self._counter(
            "column_out_of_vocabulary", "Of these, with a value the model did not learn.", _COLUMN
        )
        self._outside = self._counter(
            "column_out_of_domain", "Of these, with a value the schema does not allow.", _COLUMN
        )
        self._series: dict[tuple[str, str, str, int | None, int], _Series] = {}
        self._columns: dict[tuple[str, int], Columns | None] = {}
        self._models: Models | None = None
        self._next_look = 0.0
        self._background = Background("column counts", self._look_at, _MOST_WAITING)
        self._state = _State(self._background)
        self.registry.register(self._state)

    def watch(self, models: Models) -> None:
        """Report versions and queues of these models, and count their columns."""
        self._models = self._state.models = models

    def watch_log(self, name: str, log: Log) -> None:
        """Report the state of a log."""
        self._state.logs[name] = log

    def answered(self, exchange: Exchange) -> None:
        """Record an exchange."""
        key = (
            exchange.protocol,
            exchange.method,
            exchange.model,
            exchange.version,
            exchange.status,
        )
        series = self._series.get(key) or self._new_series(key)
        series.seconds.observe(exchange.seconds)
        if exchange.rows:
            series.rows.inc(exchange.rows)
        if exchange.status >= 400:
            self._errors.labels(*self._labels(key)).inc()
        if exchange.inputs is not None and exchange.version is not None:
            now = time.monotonic()
            if now >= self._next_look:
                self._next_look = now + 1 / _LOOKS_A_SECOND
                self._take_for_a_look(exchange, exchange.version, exchange.inputs)

    def on_batch(self, rows: int, requests: int, seconds: float) -> None:
        """Record a batch."""
        self._batch_rows.observe(rows)
        self._batch_requests.observe(requests)
        self._batch_seconds.observe(seconds)

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format 0.0.4."""
        return generate_latest(self.registry)

    def close(self) -> None:
        """Count what is waiting, and end the thread."""
        self._background.close()

    def _counter(self, name: str, help_text: str, labels: Iterable[str]) -> Counter:
        return Counter(f"skewless_{name}", help_text, labels, registry=self.registry)

    def _new_series(self, key: tuple[str, str, str, int | None, int]) -> _Series:
        labels = self._labels(key)
        series = _Series(self._seconds.labels(*labels), self._rows.labels(*labels))
        if len(self._series) < _MOST_SERIES:
            self._series[key] = series
        return series

    def _labels(self, key: tuple[str, str, str, int | None, int]) -> tuple[str, ...]:
        protocol, method, model, version, status = key
        full = key not in self._series and len(self._series) >= _MOST_SERIES
        text = "" if version is None else _OTHER if full else str(version)
        return protocol, method, model, text, str(status)

    def _take_for_a_look(self, exchange: Exchange, version: int, inputs: Arrays) -> None:
        key = (exchange.model, version)
        if key not in self._columns and len(self._columns) < _MOST_SERIES:
            self._columns[key] = self._described(*key)
        columns = self._columns.get(key)
        if columns is not None:
            look = _Look(columns, exchange.model, str(version), exchange.signature, inputs)
            self._background.offer(look, size_of(exchange))

    def _described(self, model: str, version: int) -> Columns | None:
        """Return the columns of a version; None if it has no readable model.json."""
        loaded = self._models.loaded if self._models is not None else ()
        for each in loaded:
            if (each.name, each.version) == (model, version) and each.description is not None:
                try:
                    return Columns(Description.model_validate_json(each.description))
                except ValueError as error:  # not our model.json
                    what = f"version {version} of model {model!r}"
                    _logger.warning("the columns of %s are not counted: %s", what, error)
        return None

    def _look_at(self, looks: list[_Look]) -> None:
        for look in looks:
            for column, counts in look.columns.counts(look.signature, look.inputs).items():
                labels = (look.model, look.version, column)
                self._values.labels(*labels).inc(counts.rows)
                self._missing.labels(*labels).inc(counts.missing)
                if counts.unknown is not None:
                    self._unknown.labels(*labels).inc(counts.unknown)
                if counts.outside is not None:
                    self._outside.labels(*labels).inc(counts.outside)


class _State:
    """What is looked up when Prometheus scrapes."""

    def __init__(self, looks: Background[_Look]) -> None:
        self.models: Models | None = None
        self.logs: dict[str, Log] = {}
        self._looks = looks

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "skewless_column_requests_dropped",
            "Requests whose columns should have been counted, but were not.",
            value=self._looks.dropped,
        )
        yield from self._of_logs()
        if self.models is not None:
            yield from _of_models(self.models)

    def _of_logs(self) -> Iterator[Metric]:
        entries = CounterMetricFamily(
            "skewless_log_entries",
            "Entries of the access and request log, by what became of them.",
            labels=("log", "outcome"),
        )
        failing = GaugeMetricFamily(
            "skewless_log_failing", "1 while a log cannot be written.", labels=("log",)
        )
        for name, log in self.logs.items():
            for outcome in ("written", "dropped", "failed"):
                entries.add_metric((name, outcome), getattr(log, outcome))
            failing.add_metric((name,), int(log.failing))
        yield entries
        yield failing


def _of_models(models: Models) -> Iterator[Metric]:
    states = GaugeMetricFamily(
        "skewless_version_state",
        "1 for the state that a version is in, as TensorFlow Serving names them.",
        labels=("model", "version", "state"),
    )
    for name in models.configs:
        for version, status in models.statuses(name).items():
            states.add_metric((name, str(version), status.state), 1)
    yield states
    for what in ("requests", "rows"):
        waiting = GaugeMetricFamily(
            f"skewless_queue_{what}",
            f"{what.capitalize()} that wait for a version.",
            labels=("model", "version"),
        )
        for loaded in models.loaded:
            size = getattr(loaded.batcher, f"{what}_waiting")
            waiting.add_metric((loaded.name, str(loaded.version)), size)
        yield waiting
