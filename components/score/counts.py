"""What became of a stream's rows, counted where it happens: read, scored, rejected.

A row is scored or rejected once it is written. Beam's metrics have the counts on every runner; in
this process they are told as they come, too, for a stream that is interrupted has no result to ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components import progress

STAGE = "stream"
READ, SCORED, REJECTED = "records_read", "records_scored", "records_rejected"


def count(name: str, rows: int) -> None:
    """Add rows to one of the counts; call it in a step of a pipeline."""
    from apache_beam.metrics import Metrics

    Metrics.counter(STAGE, name).inc(rows)
    progress.count(STAGE, name, rows)


def of_result(result: Any) -> dict[str, int]:
    """Return the counts of a pipeline's result by name."""
    from apache_beam.metrics import MetricsFilter

    found = result.metrics().query(MetricsFilter().with_namespace(STAGE))["counters"]
    return {counter.key.metric.name: counter.result or 0 for counter in found}


def in_words(counts: Mapping[str, int], *, scores: str, rejects: str) -> list[str]:
    """Say in a few lines what became of the rows.

    Args:
      counts: by name; one that is not there is 0.
      scores: where the scored rows are.
      rejects: where the others are.
    """
    read, scored, rejected = (counts.get(name, 0) for name in (READ, SCORED, REJECTED))
    lines = [f"{read:,} rows read, {scored:,} scored"]
    if rejected:
        lines.append(f"{rejected:,} rejected: {rejects}")
    if read > scored + rejected:
        lines.append(f"{read - scored - rejected:,} read and not yet written")
    return [*lines, f"scores: {scores}"]
