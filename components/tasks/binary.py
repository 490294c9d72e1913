"""`binary`: two classes; the logit is the log-odds of the second one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from components.column_tensors import numbers, texts
from components.tasks import label_values
from components.tasks.binary_metrics import constant_metrics, interval
from components.tasks.binary_metrics import metrics_of as metrics
from components.tasks.binary_tally import BINS, SLICE_BINS, BinaryTally, GradedRows
from components.tasks.binary_tally import grade as _grade
from components.tasks.calibration import growth
from components.tasks.class_weights import measured_weights, weights_of_classes
from components.tasks.curves import Curve, ScoreHistogram, curve, histogram
from components.tasks.protocol import (
    LOGIT,
    PROBABILITY,
    Decision,
    Head,
    Metrics,
    RowLosses,
    Tolerance,
)
from components.tasks.reliability import Diagram, of_sums
from components.tasks.uncertainty import SPREAD
from schemas import signatures as names
from schemas.errors import DataError
from schemas.tasks.binary import RULE_CLASSES, Binary, BinaryExport
from schemas.tasks.options import Above
from schemas.tasks.two_values import NO_AND_YES, in_order

if TYPE_CHECKING:
    from components.tasks.protocol import Labels, Tensors

__all__ = [
    "VALID",
    "answers",
    "constant",
    "curves",
    "decisions",
    "diagrams",
    "grade",
    "head",
    "histograms",
    "interval",
    "label",
    "learn",
    "losses",
    "metrics",
    "tally",
    "tolerances",
]

VALID = "scores between 0 and 1 and labels 0 or 1"

_TOLERANCES = {
    names.SCORES: PROBABILITY,
    names.SCORE: PROBABILITY,
    names.PROBABILITIES: PROBABILITY,
    names.OUTPUTS: PROBABILITY,
    names.BASELINE_SCORES: PROBABILITY,
    names.UNCALIBRATED_SCORES: PROBABILITY,
    names.LOGITS: LOGIT,
    names.SPREAD: SPREAD,
}


def label(inputs: Tensors, options: Binary) -> tf.Tensor:
    """Return the label, int64 0 or 1 [rows]; -1 for a third value of its column."""
    if options.column is not None:
        return _class(texts([inputs[options.column]])[0], options.positive)
    if options.equals is not None:
        values = tf.constant([[str(v)] for v in options.equals.values])
        equal = tf.equal(texts([inputs[options.equals.column]]), values)
        positive = tf.reduce_any(equal, axis=0)
    else:
        assert options.above is not None  # Binary checks it
        positive = _exceeds(options.above, inputs)
    return tf.cast(positive, tf.int64)


def _class(values: tf.Tensor, positive: str | int | None) -> tf.Tensor:
    """Return the class as `in_order` defines it; the analysis reports the two values."""
    vocabulary = label_values.analyze(values)
    number = label_values.number(values, vocabulary)
    if positive is None:
        words = (tf.constant(each) for each in zip(*NO_AND_YES, strict=True))
        no, yes = (label_values.number(each, vocabulary) for each in words)
        swapped = tf.reduce_any(tf.logical_and(tf.equal(yes, 0), tf.equal(no, 1)))
    else:
        swapped = tf.equal(label_values.number(tf.constant([str(positive)]), vocabulary)[0], 0)
    return tf.where(tf.logical_and(swapped, number >= 0), 1 - number, number)


def learn(graph: str, options: Binary) -> dict[str, Any]:
    """Return the two values of the label's column as the classes 0 and 1, if it is a column."""
    if options.column is None:
        return {}
    values = label_values.read(graph)
    positive = None if options.positive is None else str(options.positive)
    return {"classes": list(in_order(values, positive))} if len(values) > 1 else {}


def _exceeds(rule: Above, inputs: Tensors) -> tf.Tensor:
    """Return whether a column exceeds a fraction of another one, bool [rows].

    0.29 of 100 is less than 29 in binary floating point: a value that is larger only by rounding
    does not exceed. That is the rounding of float32 between FLOAT columns, and of float64 where one
    of them is an INT.
    """
    value, of = (numbers([inputs[c]])[:, 0] for c in (rule.column, rule.of))
    if all(inputs[c].dtype == tf.float32 for c in (rule.column, rule.of)):
        return tf.cast(value, tf.float32) > rule.fraction * tf.cast(of, tf.float32)
    limit = rule.fraction * of
    return value - limit > tf.abs(limit) * Above.ROUNDING


def head(
    labels: Iterable[Labels], options: Binary, learned: Mapping[str, Any], *, where: str
) -> Head:
    """Return a head of one logit that starts at the training labels' log-odds."""
    rows, totals = 0, np.zeros(2)
    for part, weights in labels:
        rows += np.count_nonzero(weights)
        totals += np.bincount((part == 1).astype(np.int64), weights, minlength=2)
    if not totals.all():
        raise DataError(
            f"the label {options.name!r} is {int(totals[1] > 0)} in all {rows:,} training rows"
            f"{options.counted}",
            where=where,
            expected="rows of both classes",
            remedy="check `label` in pipeline.yaml against the data",
        )
    rate = float(totals[1] / totals.sum())
    by_class = weights_of_classes(
        options.class_weights, learned.get("classes", RULE_CLASSES), totals
    )
    negatives, positives = totals if by_class is None else totals * by_class
    return Head(
        start=(math.log(positives / negatives),),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        link="sigmoid",
        labels={"base_rate": rate} | measured_weights(by_class),
        class_weights=None if by_class is None else tuple(by_class.tolist()),
        remark=_chosen(options, learned["classes"], rate)
        if options.column is not None and options.positive is None
        else "",
    )


def _chosen(options: Binary, classes: Sequence[str], rate: float) -> str:
    return f"class 1 of {options.name!r} is {classes[1]!r}, {rate:.3g} of the training rows"


def answers(
    options: Binary, export: BinaryExport, learned: Mapping[str, Any]
) -> dict[str, Callable[[tf.Tensor], Tensors]]:
    """Return, by signature, what logits [rows] become."""
    names_of_classes = export.class_names(learned)

    def score(logits: tf.Tensor) -> Tensors:
        return {names.SCORES: tf.sigmoid(logits), names.LOGITS: logits}

    def predict(logits: tf.Tensor) -> Tensors:
        scores = tf.sigmoid(logits)
        second = tf.cast(scores >= tf.constant(export.decision, tf.float32), tf.int32)
        return {
            names.SCORE: scores,
            names.CLASS: tf.gather(tf.constant(names_of_classes), second),
            names.PROBABILITIES: _probabilities(logits),
            names.LOGITS: logits,
        }

    def classify(logits: tf.Tensor) -> Tensors:
        classes = tf.tile(tf.constant([names_of_classes]), [tf.size(logits), 1])
        return {names.CLASSES: classes, names.SCORES: _probabilities(logits)}

    def regress(logits: tf.Tensor) -> Tensors:
        return {names.OUTPUTS: tf.sigmoid(logits)}

    return {
        names.RAW_COLUMNS: score,
        names.PREDICT: predict,
        names.CLASSIFICATION: classify,
        names.REGRESSION: regress,
    }


def _probabilities(logits: tf.Tensor) -> tf.Tensor:
    """Return [rows, 2]; 1 - score would lose the digits of a small one."""
    return tf.sigmoid(tf.stack([-logits, logits], axis=1))


def tolerances(options: Binary, learned: Mapping[str, Any]) -> Mapping[str, Tolerance]:
    """Return the tolerances of probabilities and logits, for the steepness of a calibration."""
    return {name: near.times(growth(learned)) for name, near in _TOLERANCES.items()}


def decisions(
    options: Binary, export: BinaryExport, learned: Mapping[str, Any]
) -> dict[str, Decision]:
    """Return the class, which follows from the score."""
    classes = np.array([name.encode() for name in export.class_names(learned)], dtype=object)
    limit = np.float32(export.decision)
    return {names.CLASS: Decision(names.SCORE, lambda s: classes[(s >= limit).astype(int)])}


def grade(scores: np.ndarray, labels: np.ndarray, options: Binary) -> GradedRows:
    """Compute what rows add to a tally."""
    return _grade(scores, labels)


def losses(scores: np.ndarray, labels: np.ndarray, options: Binary) -> RowLosses:
    """Return the log-loss of each row."""
    rows = _grade(scores, labels)
    terms = np.full(len(labels), np.nan)
    terms[rows.keep] = rows.loss
    return RowLosses("log_loss", terms)


def tally(options: Binary, groups: int, *, coarse: bool = False) -> BinaryTally:
    """Return the tally of no rows."""
    bins = SLICE_BINS if coarse else BINS
    return BinaryTally.zeros(groups, bins, weights=options.weight is not None)


def diagrams(tally: BinaryTally) -> list[Diagram]:
    """Return the reliability diagram of the second class."""
    negatives, positives = tally.cells[0]
    return [of_sums(negatives, positives, tally.cell_scores[0])]


def curves(tally: BinaryTally) -> list[Curve]:
    """Return the curve of the second class."""
    negatives, positives = tally.counts[0]
    return [curve(negatives, positives, 1)]


def histograms(tally: BinaryTally) -> list[ScoreHistogram]:
    """Return how the scores of both classes spread."""
    negatives, positives = tally.counts[0]
    return [histogram(negatives, positives, 1)]


def constant(metrics: Metrics, options: Binary) -> Metrics:
    """Return the figures of predicting the rows' own base rate."""
    return constant_metrics(metrics["examples"], metrics["positives"], metrics["base_rate"])
