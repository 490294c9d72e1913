"""The statistics of one column in every split → what the page shows of it, as values of JSON.

TFDV measures each split by itself. Histograms of several splits can only be laid over each other on
the same bins, so they are computed here from each split's quantiles.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorflow_metadata.proto.v0 import statistics_pb2

Feature = statistics_pb2.FeatureNameStatistics

_BINS = 24
_TOP = 10
_LONGEST = 80  # characters of a value
_SHOWN_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# Beyond the middle 90 % of train's values, as often its width again is shown; the outermost bins
# hold the rest. Otherwise one row far away would leave all others in a single bin.
_MARGIN = 0.75


def common(features: Mapping[str, Any], rows: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """Return, by split, the rows with the column and the share without a value."""
    found = {}
    for split, feature in features.items():
        stats = _common(feature)
        found[split] = {
            "rows": rows[split],
            "missing": 1 - stats.num_non_missing / rows[split] if rows[split] else None,
        }
        if stats.max_num_values > 1:
            found[split] |= {
                "fewest": stats.min_num_values,
                "most": stats.max_num_values,
                "average": _number(stats.avg_num_values),
            }
    return found


def numbers(features: Mapping[str, Any]) -> dict[str, Any]:
    """Return the histograms of a column of numbers, and its figures, by split.

    The histograms have the keys `edges`, [bins + 1], and `shares`, by split [bins]; and `below` and
    `above`, whether the first and the last bin hold what is beyond the edges.
    """
    quantiles = {split: _quantiles(feature.num_stats) for split, feature in features.items()}
    figures = {split: _figures(f.num_stats, quantiles[split]) for split, f in features.items()}
    filled = {split: found for split, found in quantiles.items() if len(found[2])}
    if not filled:
        return {"figures": figures, "histogram": None}
    first = filled.get("train", next(iter(filled.values())))
    whole = all(_is_whole(found) for found in filled.values())
    edges, below, above = _edges(first, list(filled.values()), whole)
    shares = {split: _shares(found, edges) for split, found in filled.items()}
    histogram = {"edges": edges.tolist(), "shares": shares, "below": below, "above": above}
    return {"figures": figures, "histogram": histogram}


def values(features: Mapping[str, Any]) -> dict[str, Any]:
    """Return the most frequent values of a column of texts or categories, and its figures.

    A value has its share in each split; None where the split's statistics do not have it, because
    other values are more frequent.
    """
    counts, known, figures = {}, {}, {}
    for split, feature in features.items():
        stats = feature.string_stats
        total = stats.common_stats.tot_num_values or stats.common_stats.num_non_missing
        found = {each.value: each.frequency / total for each in stats.top_values} if total else {}
        counts[split], known[split] = found, len(found) >= stats.unique
        length = _number(stats.avg_length)
        figures[split] = {"distinct": stats.unique, "length": length}
    ranked: dict[str, None] = {}
    for found in counts.values():  # train first
        ranked |= dict.fromkeys(sorted(found, key=lambda value: (-found[value], value)))
    top = [
        {
            "value": cut(value),
            "shares": {
                split: _number(found.get(value, 0.0 if known[split] else math.nan))
                for split, found in counts.items()
            },
        }
        for value in list(ranked)[:_TOP]
    ]
    return {"figures": figures, "top": top}


def cut(text: str) -> str:
    """Return a text that is short enough for a line.

    >>> len(cut("a" * 1000))
    80
    """
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def is_numeric(feature: Any) -> bool:
    """Return whether the statistics are those of numbers."""
    return bool(feature.WhichOneof("stats") == "num_stats")


def _common(feature: Any) -> Any:
    kind = feature.WhichOneof("stats")
    return getattr(feature, kind).common_stats if kind else statistics_pb2.CommonStatistics()


def _quantiles(stats: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the buckets of the quantiles: their lows, their highs and how many values each has."""
    for histogram in stats.histograms:
        if histogram.type == statistics_pb2.Histogram.QUANTILES:
            rows = [(b.low_value, b.high_value, b.sample_count) for b in histogram.buckets]
            low, high, counts = np.array(rows, np.float64).reshape(-1, 3).T
            finite = np.isfinite(low) & np.isfinite(high) & (counts > 0)
            return low[finite], high[finite], counts[finite]
    return np.zeros(0), np.zeros(0), np.zeros(0)


def _figures(stats: Any, quantiles: tuple[np.ndarray, np.ndarray, np.ndarray]) -> dict[str, Any]:
    low, high, counts = quantiles
    total = stats.common_stats.tot_num_values or stats.common_stats.num_non_missing
    figures = {
        "mean": _number(stats.mean),
        "deviation": _number(stats.std_dev),
        "minimum": _number(stats.min),
        "maximum": _number(stats.max),
        "zeros": stats.num_zeros / total if total else None,
    }
    if not len(counts):
        return dict.fromkeys(figures)
    at = np.concatenate([[0], np.cumsum(counts)]) / counts.sum()
    found = np.interp(_SHOWN_QUANTILES, at, [low[0], *high]).tolist()
    return figures | {"quantiles": found}


def _is_whole(quantiles: tuple[np.ndarray, np.ndarray, np.ndarray]) -> bool:
    low, high, _ = quantiles
    return bool(np.all(low == np.floor(low)) and np.all(high == np.floor(high)))


def _edges(
    first: tuple[np.ndarray, np.ndarray, np.ndarray],
    every: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
    whole: bool,
) -> tuple[np.ndarray, bool, bool]:
    """Return the edges of the bins, and whether values are below and above them."""
    least = min(float(low[0]) for low, _, _ in every)
    most = max(float(high[-1]) for _, high, _ in every)
    low, high, counts = first
    at = np.concatenate([[0], np.cumsum(counts)]) / counts.sum()
    left, right = np.interp((0.05, 0.95), at, [low[0], *high])
    margin = (right - left) * _MARGIN or max(abs(left), 1.0)
    start, end = max(least, left - margin), min(most, right + margin)
    if whole and end - start < _BINS:  # a bin for each number
        start, end = math.floor(start), math.ceil(end)
        edges = np.arange(start, end + 2) - 0.5
    elif whole:
        width = math.ceil((end - start + 1) / _BINS)
        edges = math.floor(start) - 0.5 + width * np.arange(_BINS + 1)
        edges = edges[: np.searchsorted(edges, end) + 1]
    else:
        edges = np.linspace(start, end if end > start else start + 1, _BINS + 1)
    return edges, bool(least < edges[0]), bool(most > edges[-1])


def _shares(quantiles: tuple[np.ndarray, np.ndarray, np.ndarray], edges: np.ndarray) -> list[float]:
    """Return the share of the values in each bin; they are spread evenly within a bucket."""
    low, high, counts = (each[:, np.newaxis] for each in quantiles)
    start, end = edges[:-1].copy(), edges[1:].copy()
    start[0], end[-1] = -np.inf, np.inf
    point = low == high
    width = np.where(point, 1.0, high - low)
    spread = (np.minimum(high, end) - np.maximum(low, start)) / width
    inside = (low >= start) & (low < end)
    cells = np.where(point, inside, np.clip(spread, 0, 1)) * counts
    return [float(f"{share:.4g}") for share in cells.sum(axis=0) / counts.sum()]


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
