"""Counters of a stream's rows: read, scored, rejected.

A row counts as scored or rejected once it is written. Beam's metrics have the counters on every
runner. In this process they are also reported as progress, because an interrupted stream has no
result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apache_beam.metrics import Metrics, MetricsFilter

from components import progress

STAGE = "stream"
READ, SCORED, REJECTED = "records_read", "records_scored", "records_rejected"


def count(name: str, rows: int) -> None:
    """Add rows to one of the counts; call it in a step of a pipeline."""
    Metrics.counter(STAGE, name).inc(rows)
    progress.count(STAGE, name, rows)


def of_result(result: Any) -> dict[str, int]:
    """Return the counters of a pipeline's result by name."""
    counters = result.metrics().query(MetricsFilter().with_namespace(STAGE))["counters"]
    return {counter.key.metric.name: counter.result or 0 for counter in counters}


def in_words(counts: Mapping[str, int], *, scores: str, rejects: str) -> list[str]:
    """Summarize what became of the rows in a few lines.

    Args:
      counts: by name; a missing one is 0.
      scores: the location of the scored rows.
      rejects: the location of the rejected rows.
    """
    read, scored, rejected = (counts.get(name, 0) for name in (READ, SCORED, REJECTED))
    lines = [f"{read:,} rows read, {scored:,} scored"]
    if rejected:
        lines.append(f"{rejected:,} rejected: {rejects}")
    if read > scored + rejected:
        lines.append(f"{read - scored - rejected:,} read and not yet written")
    return [*lines, f"scores: {scores}"]
