"""The outcome of `binary`: the second one of two classes, by value or by rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.examples import column
from components.tasks.outcomes import REST, ClassColumn, Outcome, frequent_values
from schemas.tasks.binary import RULE_CLASSES, Binary, Equals, Exceeds
from schemas.tasks.two_values import in_order

_ROUNDING = 4 * np.finfo(np.float64).eps  # as in the transform graph


def outcome_of(options: Binary, sample: pa.RecordBatch) -> Outcome:
    """Return the outcome; `shown` is the class of which a model gives the probability."""
    if options.column is None:
        rule = options.equals or options.exceeds
        assert rule is not None  # Binary checks it
        return Outcome(RuleColumn(rule), (*RULE_CLASSES, REST), (1,))
    names = frequent_values(sample, options.column)
    if len(names) == 2:
        names = in_order(names, None if options.positive is None else str(options.positive))
    return Outcome(ClassColumn(options.column, names), (*names, REST), (len(names) - 1,))


@dataclass(frozen=True)
class RuleColumn:
    """Reads the classes that a rule makes: 1 where it holds, else 0."""

    rule: Equals | Exceeds

    def __call__(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return the class of each row, int64 [rows]."""
        if isinstance(self.rule, Exceeds):
            return _exceeds(batch, self.rule).astype(np.int64)
        values = pa.array([str(value) for value in self.rule.values], pa.string())
        texts = column(batch, self.rule.column).cast(pa.string())
        return np.asarray(pc.is_in(texts, value_set=values), dtype=np.int64)


def _exceeds(batch: pa.RecordBatch, rule: Exceeds) -> np.ndarray:
    arrays = [column(batch, name) for name in (rule.column, rule.of)]
    value, of = (np.asarray(each.cast(pa.float64()), dtype=np.float64) for each in arrays)
    with np.errstate(over="ignore", invalid="ignore"):
        if all(each.type == pa.float32() for each in arrays):
            limits = np.float32(rule.fraction) * of.astype(np.float32)
            return np.asarray(value.astype(np.float32) > limits)
        limit = rule.fraction * of
        return np.asarray(value - limit > np.abs(limit) * _ROUNDING)
