"""How far a split's columns are from the training split's, and how far chance alone takes them.

TFDV measures; here its measurements become plain values, each with the bound that two samples of
one source stay under, so that a split of a few dozen rows does not stop a run by mere luck.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

from components.validate import kinds
from components.validate.findings import Drift, Finding

# The standard normal's quantiles for 999 in 1,000: two-sided, one-sided.
Z_TWO_SIDED = 3.2905
_Z_ONE_SIDED = 3.0902


def measured(
    anomalies: anomalies_pb2.Anomalies,
    *,
    split: str,
    current: statistics_pb2.DatasetFeatureStatistics,
    train: statistics_pb2.DatasetFeatureStatistics,
    of: Literal["drift_measurements", "skew_measurements"] = "drift_measurements",
) -> Iterator[Drift]:
    """Yield what TFDV measured between `train` and a split, sorted by column.

    Args:
      anomalies: what TFDV gave.
      split: the name of what was compared with train.
      current: its statistics.
      train: the training split's.
      of: between two data sets of a run (drift), or between training and serving (skew).
    """
    name_of = anomalies_pb2.DriftSkewInfo.Measurement.Type.Name
    now, then = _by_column(current), _by_column(train)
    for info in sorted(anomalies.drift_skew_info, key=lambda info: list(info.path.step)):
        column = ".".join(info.path.step)
        for measurement in getattr(info, of):
            measure = name_of(measurement.type)
            yield Drift(
                column=column,
                split=split,
                measure=measure,
                value=measurement.value,
                threshold=measurement.threshold,
                chance=_chance(measure, now.get(column), then.get(column)),
            )


def explain_by_chance(findings: Iterable[Finding], drift: Iterable[Drift]) -> Iterator[Finding]:
    """Make warnings of the drift findings that chance alone explains."""
    bounds = {(d.split, d.column, d.measure): d for d in drift}
    for finding in findings:
        measure = kinds.kind_of(finding.kind, "").measure
        bound = bounds.get((finding.split, finding.column, measure))
        if bound is None or bound.value > bound.chance:
            yield finding
        else:
            seen = f"{finding.seen}; in so few rows chance alone gives up to {bound.chance:.2g}"
            yield finding.model_copy(update={"severity": "warning", "seen": seen})


def chance_of_l_infinity(rows: int, other_rows: int) -> float:
    """Return what the largest difference of shares stays under 999 times in 1,000.

    The normal approximation for a value with a share of one half, the worst case.
    """
    return min(1.0, Z_TWO_SIDED * 0.5 * math.sqrt(1 / rows + 1 / other_rows))


def chance_of_jensen_shannon(rows: int, other_rows: int, buckets: int) -> float:
    """Return what the divergence, in bits, stays under 999 times in 1,000.

    Between samples of one source it is chi-square with buckets - 1 degrees of freedom, times
    (1/rows + 1/other_rows) / (8 ln 2) (Menéndez et al. 1997, "The Jensen-Shannon divergence"); the
    quantile is Wilson and Hilferty's (1931).
    """
    freedom = max(1, buckets - 1)
    spread = 2 / (9 * freedom)
    quantile = freedom * (1 - spread + _Z_ONE_SIDED * math.sqrt(spread)) ** 3
    return min(1.0, quantile * (1 / rows + 1 / other_rows) / (8 * math.log(2)))


def _chance(
    measure: str,
    now: statistics_pb2.FeatureNameStatistics | None,
    then: statistics_pb2.FeatureNameStatistics | None,
) -> float:
    rows, other_rows = _rows(now), _rows(then)
    if not rows or not other_rows:
        return 0.0
    if measure == "L_INFTY":
        return chance_of_l_infinity(rows, other_rows)
    if measure == "JENSEN_SHANNON_DIVERGENCE":
        return chance_of_jensen_shannon(rows, other_rows, _buckets(now) + _buckets(then))
    return 0.0  # the third measure compares counts, not samples


def _by_column(
    dataset: statistics_pb2.DatasetFeatureStatistics,
) -> Mapping[str, statistics_pb2.FeatureNameStatistics]:
    return {".".join(feature.path.step): feature for feature in dataset.features}


def _rows(feature: statistics_pb2.FeatureNameStatistics | None) -> int:
    """How many rows have a value."""
    if feature is None:
        return 0
    kind = feature.WhichOneof("stats")
    return getattr(feature, kind).common_stats.num_non_missing if kind else 0


def _buckets(feature: statistics_pb2.FeatureNameStatistics | None) -> int:
    """How many buckets a column brings to the divergence, which aligns both columns' buckets."""
    if feature is None:
        return 0
    if feature.WhichOneof("stats") == "string_stats":
        return feature.string_stats.unique
    return max((len(h.buckets) for h in feature.num_stats.histograms), default=0)
