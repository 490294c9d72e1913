"""Sums from which every metric of a binary classifier follows, kept for many groups at once.

A `BinaryTally` takes scores, labels and the group of each row, a batch at a time. Its size depends
on the number of groups and bins and never on the number of rows. Tallies can be added: the sums are
the same however the rows are split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from components.tasks.probabilities import (
    CELLS,
    calibration_cells,
    count,
    logarithms,
    logit_bins,
    weighted,
)

# Scores are binned by their logit, which keeps the bins narrow where many scores are, near 0 and 1.
# 65,536 bins over ±16 are 1/2048 wide; tallies with fewer bins merge neighbours.
BINS = 1 << 16
SLICE_BINS = 1 << 12


class GradedRows(NamedTuple):
    """What each row adds to a tally, whatever its group; every array has shape [rows].

    Attributes:
      label: 0 or 1, int64.
      bin: index of the score's logit bin out of `BINS`, int64.
      loss: log-loss in nats, float64.
      cell: index of the score's calibration cell, int64.
      score: float64.
      keep: which of the given rows these are: all, or a boolean mask.
      invalid: how many rows are left out: their score is not a probability, or their label is
        neither 0 nor 1.
    """

    label: np.ndarray
    bin: np.ndarray
    loss: np.ndarray
    cell: np.ndarray
    score: np.ndarray
    keep: slice | np.ndarray
    invalid: int


def grade(scores: np.ndarray, labels: np.ndarray) -> GradedRows:
    """Compute what rows add to a tally.

    Args:
      scores: probabilities of class 1, float [rows].
      labels: integers 0 or 1, [rows].
    """
    # A comparison with NaN is false, so NaN is invalid too.
    valid = (scores >= 0) & (scores <= 1) & ((labels == 0) | (labels == 1))
    invalid = len(valid) - int(np.count_nonzero(valid))
    keep: slice | np.ndarray = valid if invalid else slice(None)
    score = scores[keep].astype(np.float64)
    label = labels[keep].astype(np.int64)
    log_p, log_q = logarithms(score)
    return GradedRows(
        label=label,
        bin=logit_bins(log_p, log_q, BINS),
        loss=-np.where(label == 1, log_p, log_q),
        cell=calibration_cells(score),
        score=score,
        keep=keep,
        invalid=invalid,
    )


@dataclass
class BinaryTally:
    """Sums over the rows of each group, where rows have no weights; else of their weights.

    Attributes:
      rows: rows by label, whatever their weights, int64 [groups, 2].
      counts: rows by label and score bin, int64, or float64 of weights, [groups, 2, bins].
      loss: sum of the log-losses, float64 [groups].
      cells: rows by label and calibration cell, int64, or float64 of weights, [groups, 2, CELLS].
      cell_scores: sum of the scores by calibration cell, float64 [groups, CELLS].
      invalid: rows left out, of all groups together.
    """

    rows: np.ndarray
    counts: np.ndarray
    loss: np.ndarray
    cells: np.ndarray
    cell_scores: np.ndarray
    invalid: int = 0

    @classmethod
    def zeros(cls, groups: int, bins: int, *, weights: bool = False) -> BinaryTally:
        """Return the tally of no rows.

        Args:
          groups: how many there are.
          bins: a power of two, at most `BINS`.
          weights: whether rows have weights.
        """
        if not 2 <= bins <= BINS or BINS % bins:
            raise ValueError(f"bins must be a power of two between 2 and {BINS}, got {bins}")
        counted = np.float64 if weights else np.int64
        return cls(
            rows=np.zeros((groups, 2), np.int64),
            counts=np.zeros((groups, 2, bins), counted),
            loss=np.zeros(groups),
            cells=np.zeros((groups, 2, CELLS), counted),
            cell_scores=np.zeros((groups, CELLS)),
        )

    def add(
        self,
        rows: GradedRows,
        groups: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        """Add rows in place.

        Args:
          rows: from `grade`.
          groups: the group of each row that `grade` was given, int [rows]; None puts all in 0.
          weights: those of the same rows, float64 [rows]; None without weights.
        """
        group = np.zeros_like(rows.label) if groups is None else groups[rows.keep]
        labelled = group * 2 + rows.label
        bins = self.counts.shape[2]
        weight = None if weights is None else weights[rows.keep]
        count(self.rows, labelled)
        count(self.counts, labelled * bins + rows.bin // (BINS // bins), weight)
        count(self.cells, labelled * CELLS + rows.cell, weight)
        count(self.loss, group, weighted(rows.loss, weight))
        count(self.cell_scores, group * CELLS + rows.cell, weighted(rows.score, weight))
        self.invalid += rows.invalid

    def merge(self, other: BinaryTally) -> None:
        """Add another tally of the same groups and bins in place."""
        self.rows += other.rows
        self.counts += other.counts
        self.loss += other.loss
        self.cells += other.cells
        self.cell_scores += other.cell_scores
        self.invalid += other.invalid
