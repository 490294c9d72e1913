"""`multiclass`: one of several classes; a logit for each, whose softmax is its probability."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from components.column_tensors import texts
from components.tasks import label_values
from components.tasks.calibration import growth
from components.tasks.class_weights import measured_weights, weights_of_classes
from components.tasks.curves import Curve, ScoreHistogram, curve, histogram
from components.tasks.learned import CONFORMAL
from components.tasks.multiclass_tally import (
    BINS,
    GradedClasses,
    MulticlassTally,
    constant_metrics,
    interval,
)
from components.tasks.multiclass_tally import grade as _grade
from components.tasks.multiclass_tally import metrics_of as metrics
from components.tasks.probabilities import logarithms
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
from schemas.tasks.multiclass import Multiclass, MulticlassExport

if TYPE_CHECKING:
    from components.tasks.protocol import HeldOut, Labels, Tensors

__all__ = [
    "VALID",
    "answers",
    "constant",
    "covered",
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
    "misses",
    "tally",
    "tolerances",
]

_DRAWN = 20  # classes with curves, at most
_POINTS = 100  # of a curve

VALID = "probabilities of all classes, and labels that are one of them"

_TOLERANCES = {
    names.SCORES: PROBABILITY,
    names.SCORE: PROBABILITY,
    names.PROBABILITIES: PROBABILITY,
    names.BASELINE_SCORES: PROBABILITY,
    names.UNCALIBRATED_SCORES: PROBABILITY,
    names.LOGITS: LOGIT,
    names.SPREAD: SPREAD,
}


def label(inputs: Tensors, options: Multiclass) -> tf.Tensor:
    """Return the number of the class, int64 [rows]; -1 for a value that is not a class."""
    value = texts([inputs[options.column]])[0]
    if options.classes is None:
        return label_values.number(value, label_values.analyze(value))
    equal = tf.equal(value[:, tf.newaxis], tf.constant([options.classes]))
    number = tf.argmax(tf.cast(equal, tf.int32), axis=1)
    return tf.where(tf.reduce_any(equal, axis=1), number, -tf.ones_like(number))


def learn(graph: str, options: Multiclass) -> dict[str, Any]:
    """Return the classes in the order of their numbers."""
    if options.classes is not None:
        return {"classes": list(options.classes)}
    return {"classes": label_values.read(graph)}


def head(
    labels: Iterable[Labels], options: Multiclass, learned: Mapping[str, Any], *, where: str
) -> Head:
    """Return a head of one logit a class that starts at the classes' shares in training."""
    classes = learned["classes"]
    counts, totals = np.zeros(len(classes), np.int64), np.zeros(len(classes))
    for part, weights in labels:
        known = part >= 0
        counts += np.bincount(part[known], weights[known] > 0, len(classes)).astype(np.int64)
        totals += np.bincount(part[known], weights[known], len(classes))
    if (totals > 0).sum() < 2:
        raise DataError(
            f"the label {options.name!r} is {classes[int(totals.argmax())]!r} in all"
            f" {int(counts.sum()):,} training rows{options.counted}",
            where=where,
            expected="rows of at least two classes",
            remedy="check `label` in pipeline.yaml against the data",
        )
    rows = totals * (counts.sum() / totals.sum())  # of a mean weight of 1
    share = (rows + 0.5) / (rows + 0.5).sum()  # a listed class may have no rows
    by_class = weights_of_classes(options.class_weights, classes, totals)
    start = np.log(share if by_class is None else share * by_class / (share @ by_class))
    return Head(
        start=tuple(start.tolist()),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        link="softmax",
        labels={"class_counts": counts.tolist()} | measured_weights(by_class),
        class_weights=None if by_class is None else tuple(by_class.tolist()),
    )


def answers(
    options: Multiclass, export: MulticlassExport, learned: Mapping[str, Any]
) -> dict[str, Callable[[tf.Tensor], Tensors]]:
    """Return, by signature, what logits [rows, classes] become."""
    classes, least = tf.constant(learned["classes"]), _least(export, learned)

    def score(logits: tf.Tensor) -> Tensors:
        return {names.SCORES: tf.nn.softmax(logits), names.LOGITS: logits}

    def predict(logits: tf.Tensor) -> Tensors:
        probabilities = tf.nn.softmax(logits)
        answer = {
            names.SCORE: tf.reduce_max(probabilities, axis=1),
            names.CLASS: tf.gather(classes, tf.argmax(probabilities, axis=1)),
            names.PROBABILITIES: probabilities,
            names.LOGITS: logits,
        }
        if least is not None:
            # of no class that is likely enough, the likeliest one
            limit = tf.minimum(least, tf.reduce_max(probabilities, axis=1, keepdims=True))
            answer[names.PREDICTION_SET] = tf.cast(probabilities >= limit, tf.float32)
        return answer

    def classify(logits: tf.Tensor) -> Tensors:
        names_of_rows = tf.tile(classes[tf.newaxis], [tf.shape(logits)[0], 1])
        return {names.CLASSES: names_of_rows, names.SCORES: tf.nn.softmax(logits)}

    return {
        names.RAW_COLUMNS: score,
        names.PREDICT: predict,
        names.CLASSIFICATION: classify,
    }


def _least(export: MulticlassExport, learned: Mapping[str, Any]) -> np.float32 | None:
    """Return the least probability of a class in the set."""
    threshold = None if export.coverage is None else learned.get(CONFORMAL)
    return None if threshold is None else np.float32(1 - threshold)


def misses(rows: HeldOut, options: Multiclass, learned: Mapping[str, Any]) -> np.ndarray:
    """Return 1 - probability of the right class (LAC: Sadinle et al. 2019, arXiv:1609.00451)."""
    p = np.exp(rows.logits - rows.logits.max(axis=1, keepdims=True))
    own = p[np.arange(len(p)), rows.labels.astype(np.int64)]
    return np.asarray(1 - own / p.sum(axis=1))


def covered(answer: Tensors, label: tf.Tensor) -> tf.Tensor:
    """Return whether labels are in the sets of the answers of `predict`, bool [rows]."""
    inside = answer[names.PREDICTION_SET]
    of_label = tf.one_hot(label, inside.shape[1], dtype=inside.dtype)
    return tf.reduce_sum(inside * of_label, axis=1) > 0


def tolerances(options: Multiclass, learned: Mapping[str, Any]) -> Mapping[str, Tolerance]:
    """Return the tolerances of probabilities and logits, for the steepness of a calibration."""
    return {name: near.times(growth(learned)) for name, near in _TOLERANCES.items()}


def decisions(
    options: Multiclass, export: MulticlassExport, learned: Mapping[str, Any]
) -> dict[str, Decision]:
    """Return the class, which follows from the probabilities."""
    classes = np.array([name.encode() for name in learned["classes"]], dtype=object)
    found = {names.CLASS: Decision(names.PROBABILITIES, lambda p: classes[p.argmax(axis=1)])}
    least = _least(export, learned)
    if least is not None:
        found[names.PREDICTION_SET] = Decision(
            names.PROBABILITIES,
            lambda p: (p >= np.minimum(least, p.max(axis=1, keepdims=True))).astype(np.float32),
        )
    return found


def grade(scores: np.ndarray, labels: np.ndarray, options: Multiclass) -> GradedClasses:
    """Compute what rows add to a tally."""
    return _grade(scores, labels)


def losses(scores: np.ndarray, labels: np.ndarray, options: Multiclass) -> RowLosses:
    """Return the log-loss of each row."""
    rows = _grade(scores, labels)
    terms = np.full(len(labels), np.nan)
    own = rows.probabilities[np.arange(len(rows.label)), rows.label]
    terms[rows.keep] = -logarithms(own)[0]
    return RowLosses("log_loss", terms)


def tally(options: Multiclass, groups: int, *, coarse: bool = False) -> MulticlassTally:
    """Return the tally of no rows."""
    bins = 0 if coarse else BINS
    return MulticlassTally(groups, bins, options.top_k, weights=options.weight is not None)


def diagrams(tally: MulticlassTally) -> list[Diagram]:
    """Return the reliability diagram of each class against all others."""
    if not tally.sums:
        return []
    cells, scores = tally.sums["cells"][0], tally.sums["cell_scores"][0]
    return [of_sums(cells[i, 0], cells[i, 1], scores[i]) for i in range(len(cells))]


def curves(tally: MulticlassTally) -> list[Curve]:
    """Return the curves of the classes with the most rows against all others."""
    return [curve(no, yes, i, _POINTS) for i, (no, yes) in _largest(tally)]


def histograms(tally: MulticlassTally) -> list[ScoreHistogram]:
    """Return how the probabilities of these classes spread."""
    return [histogram(no, yes, i) for i, (no, yes) in _largest(tally)]


def _largest(tally: MulticlassTally) -> list[tuple[int, np.ndarray]]:
    """Return the classes with the most rows, in their order, with the bins of their scores."""
    if not tally.sums:
        return []
    rows = tally.sums["rows"][0].sum(axis=1)
    classes = sorted(np.argsort(-rows, kind="stable")[:_DRAWN].tolist())
    return [(i, tally.sums["scores"][0, i]) for i in classes]


def constant(metrics: Metrics, options: Multiclass) -> Metrics:
    """Return the figures of predicting the rows' own shares of the classes."""
    return constant_metrics(metrics, options.top_k)
