"""A random sample of scored rows, for what sums do not hold: the bootstrap and single rows.

Each row gets a random key, and the rows with the smallest keys are kept. The keys follow from the
labels and slices of the row's batch and not from its scores. So samples can be merged in any order,
and two models that are scored on the same examples have a sample of the same rows.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from components.evaluate.figures import ScoredBatch

ROWS = 4000


@dataclass
class ScoredSample:
    """Some of the rows.

    Attributes:
      keys: rising random numbers, float64 [rows].
      label: [rows].
      scores: of each model, [rows] or [rows, n].
      weights: float64 [rows]; 1 where rows have none.
      seen: how many rows there were.
    """

    keys: np.ndarray
    label: np.ndarray
    scores: tuple[np.ndarray, ...]
    weights: np.ndarray
    seen: int

    @classmethod
    def of(cls, batch: ScoredBatch) -> ScoredSample:
        """Return the sample of a batch."""
        rows, seed = len(batch.label), 0
        for part in (batch.label, *batch.slices):
            seed = zlib.crc32(np.ascontiguousarray(part).tobytes(), seed)
        keys = np.random.default_rng(seed).random(rows)
        weights = np.ones(rows) if batch.weights is None else batch.weights
        return cls(keys, batch.label, batch.scores, weights, rows)._cut()

    def merged(self, other: ScoredSample | None) -> ScoredSample:
        """Return the sample of the rows of both."""
        if other is None:
            return self
        return ScoredSample(
            np.concatenate([self.keys, other.keys]),
            np.concatenate([self.label, other.label]),
            tuple(map(np.concatenate, zip(self.scores, other.scores, strict=True))),
            np.concatenate([self.weights, other.weights]),
            self.seen + other.seen,
        )._cut()

    def _cut(self) -> ScoredSample:
        """Return the rows with the smallest keys, in their order."""
        kept = np.argsort(self.keys, kind="stable")[:ROWS]
        scores = tuple(each[kept] for each in self.scores)
        return ScoredSample(
            self.keys[kept], self.label[kept], scores, self.weights[kept], self.seen
        )
