"""Compares two versions' scores of the same rows: row by row, and in total.

Workers exchange sums, so a comparison does not depend on how the rows were distributed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
from pydantic import Field

from components.examples import column
from schemas.strict import Strict

DIFFERENCE = "score_difference"
_SCORES, _CLASS = ("prediction", "score", "scores"), "class"
_THRESHOLD = 0.5  # for versions without a class output


def renamed(ours: Sequence[str], other: Sequence[str]) -> dict[str, str]:
    """Map the other version's class names to ours, where the same classes have other names.

    Args:
      ours: our version's classes, in the order of its probabilities.
      other: the other version's classes.

    >>> renamed(("small", "big"), ("0", "1"))
    {'0': 'small', '1': 'big'}
    >>> renamed(("yes", "no"), ("no", "yes"))  # the same names in another order
    {}
    """
    if len(ours) != len(other) or set(ours) == set(other):
        return {}
    return {old: new for new, old in zip(ours, other, strict=True) if new != old}


class Sums(Strict):
    """What a comparison adds up, over rows with scores a (ours) and b (the other's)."""

    rows: int = 0
    changed_class: int = 0
    absolute: float = 0.0
    largest: float = 0.0
    a: float = 0.0
    b: float = 0.0
    aa: float = 0.0
    bb: float = 0.0
    ab: float = 0.0

    @classmethod
    def of(
        cls, ours: pa.RecordBatch, other: pa.RecordBatch, names: Mapping[str, str] | None = None
    ) -> Sums:
        """Return the sums of a batch that both versions scored; `names` is from `renamed`."""
        a, b = (_scores(batch).astype(np.float64) for batch in (ours, other))
        off = np.abs(a - b)
        return cls(
            rows=len(a),
            changed_class=int((_classes(ours) != _classes(other, names)).sum()),
            absolute=float(off.sum()),
            largest=float(off.max(initial=0.0)),
            a=float(a.sum()),
            b=float(b.sum()),
            aa=float(a @ a),
            bb=float(b @ b),
            ab=float(a @ b),
        )

    @classmethod
    def add(cls, sums: Iterable[Sums]) -> Sums:
        """Return the sum of several."""
        sums = list(sums)
        totals = {
            name: sum(getattr(s, name) for s in sums)
            for name in cls.model_fields
            if name != "largest"
        }
        return cls(largest=max((s.largest for s in sums), default=0.0), **totals)

    def comparison(self, names: Mapping[str, str] | None = None) -> VersionComparison:
        """Return the comparison for the sums; `names` is from `renamed`."""
        n = max(self.rows, 1)
        spread_a, spread_b = (
            max(0.0, square - total * total / n)
            for square, total in ((self.aa, self.a), (self.bb, self.b))
        )
        spread = math.sqrt(spread_a * spread_b)
        return VersionComparison(
            rows=self.rows,
            mean_absolute_difference=self.absolute / n,
            largest_difference=self.largest,
            changed_class_share=self.changed_class / n,
            renamed_classes=dict(names or {}),
            correlation=(self.ab - self.a * self.b / n) / spread if spread else None,
        )


class VersionComparison(Strict):
    """The difference between two versions.

    Attributes:
      rows: the number of rows that both scored.
      mean_absolute_difference: of the scores.
      largest_difference: of the scores.
      changed_class_share: the share of rows with different classes; renamed classes are equal.
      renamed_classes: our names of the other version's classes, where they differ.
      correlation: of the scores (Pearson's); None if all scores of a version are equal.
    """

    rows: int
    mean_absolute_difference: float
    largest_difference: float
    changed_class_share: float
    renamed_classes: dict[str, str] = Field(default_factory=dict)
    correlation: float | None

    def summary(self) -> str:
        """Return it as one line of text."""
        correlation = "none" if self.correlation is None else f"{self.correlation:.6f}"
        names = ", ".join(f"{old!r} is {new!r} here" for old, new in self.renamed_classes.items())
        return (
            f"mean absolute difference {self.mean_absolute_difference:.6f}"
            f" (largest {self.largest_difference:.6f}),"
            f" class changed in {self.changed_class_share:.2%} of {self.rows:,} rows,"
            f" correlation {correlation}" + (f"; classes were renamed: {names}" if names else "")
        )


def difference(ours: pa.RecordBatch, other: pa.RecordBatch) -> pa.Array:
    """Return our scores minus the other version's, float32 of shape [rows]."""
    return pa.array(_scores(ours) - _scores(other))


def side_by_side(ours: pa.Schema, other: pa.Schema, suffix: str) -> pa.Schema:
    """Return the schema of our outputs, the other's with a suffix, and the difference."""
    suffixed = [pa.field(f"{field.name}{suffix}", field.type) for field in other]
    return pa.schema([*ours, *suffixed, pa.field(DIFFERENCE, pa.float32())])


def _scores(batch: pa.RecordBatch) -> np.ndarray:
    name = next(name for name in _SCORES if name in batch.schema.names)
    return column(batch, name).to_numpy()


def _classes(batch: pa.RecordBatch, names: Mapping[str, str] | None = None) -> np.ndarray:
    if _CLASS not in batch.schema.names:
        return _scores(batch) >= _THRESHOLD
    classes = column(batch, _CLASS).to_numpy(zero_copy_only=False)
    called = classes.copy()
    for old, new in (names or {}).items():
        called[classes == old] = new
    return called
