"""What the export is asked, and what it has to answer.

Goes in: the rows and, once computed, what training makes of them. Comes out: requests to every
signature, and the outputs expected of each. No TensorFlow is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from components.examples import as_raw_columns, as_tf_examples
from components.export import signatures as names
from components.parity.compare import LOGIT, SCORE, Expected
from components.parity.rows import Rows
from schemas.columns import Column

# Rows of one request, and of one step of the reference: equal batches are computed in equal order.
REQUEST_ROWS = 4_096
# Rows that are asked one by one too: an answer must not depend on who else is in the batch.
_SINGLE_ROWS = 16


@dataclass(frozen=True)
class Question:
    """Requests to one signature.

    Attributes:
      name: of the question, unique; the name of a way of serving in the report.
      signature: which signature is asked.
      feeds: its inputs, a value a row.
      rows: which of `Rows` these are.
      rows_per_request: how many of them go into one request.
      leaves_out: the column that the request leaves to SignatureDef.defaults, if one.
    """

    name: str
    signature: str
    feeds: Mapping[str, np.ndarray]
    rows: slice
    rows_per_request: int = REQUEST_ROWS
    leaves_out: str | None = None


@dataclass(frozen=True)
class Reference:
    """What training computes, a row each: features and label from the transform graph.

    `scores` of model and baseline are [rows] float32; `class_scores` [rows, 2].
    """

    features: Mapping[str, np.ndarray]
    label: np.ndarray
    logits: np.ndarray
    scores: np.ndarray
    class_scores: np.ndarray
    baseline_scores: np.ndarray


def questions(
    rows: Rows, serving: tuple[Column, ...], evaluation: tuple[Column, ...]
) -> list[Question]:
    """Return every question; the one that names features comes first."""
    everything = slice(0, rows.batch.num_rows)
    examples = np.empty(rows.batch.num_rows, dtype=object)
    examples[:] = as_tf_examples(rows.batch, serving)
    raw = as_raw_columns(rows.batch, evaluation)
    asked = [
        Question(name, name, {names.EXAMPLE_INPUTS[name]: examples}, everything)
        for name in (
            names.TRANSFORM_FEATURES,
            names.SERVING_DEFAULT,
            names.CLASSIFICATION,
            names.REGRESSION,
        )
    ]
    requested = {c.name: raw[c.name] for c in serving}
    asked.append(Question(names.RAW_COLUMNS, names.RAW_COLUMNS, requested, everything))
    asked.append(Question(names.EVALUATION, names.EVALUATION, raw, everything))
    return asked + _row_by_row(asked) + _leaving_out(rows, requested)


def _row_by_row(asked: Sequence[Question]) -> list[Question]:
    """Ask for features and scores of single rows: where a request is alone in its batch."""
    return [
        Question(
            f"{question.name} row by row",
            question.signature,
            {name: values[:_SINGLE_ROWS] for name, values in question.feeds.items()},
            slice(0, min(_SINGLE_ROWS, question.rows.stop)),
            rows_per_request=1,
        )
        for question in asked
        if question.signature in (names.TRANSFORM_FEATURES, names.RAW_COLUMNS)
    ]


def _leaving_out(rows: Rows, requested: Mapping[str, np.ndarray]) -> list[Question]:
    """Ask without each column; a model of one column has nothing left to be asked with."""
    if len(requested) < 2:
        return []
    return [
        Question(
            f"{names.RAW_COLUMNS} without {column!r}",
            names.RAW_COLUMNS,
            {name: values[at] for name, values in requested.items() if name != column},
            at,
            leaves_out=column,
        )
        for column, at in rows.without.items()
    ]


def expected_outputs(question: Question, reference: Reference) -> dict[str, Expected]:
    """Return what the question has to be answered with: features exactly, scores closely."""
    outputs = _OUTPUTS[question.signature](reference)
    return {
        name: Expected(output.values[question.rows], output.tolerance)
        for name, output in outputs.items()
    }


def _scored(reference: Reference) -> dict[str, Expected]:
    return {
        names.SCORES: Expected(reference.scores, SCORE),
        names.LOGITS: Expected(reference.logits, LOGIT),
    }


def _transformed(reference: Reference) -> dict[str, Expected]:
    return {name: Expected(values) for name, values in reference.features.items()}


def _classified(reference: Reference) -> dict[str, Expected]:
    classes = np.array([name.encode() for name in names.CLASS_NAMES], dtype=object)
    return {
        names.CLASSES: Expected(np.tile(classes, (len(reference.scores), 1))),
        names.SCORES: Expected(reference.class_scores, SCORE),
    }


def _regressed(reference: Reference) -> dict[str, Expected]:
    return {names.OUTPUTS: Expected(reference.scores, SCORE)}


def _evaluated(reference: Reference) -> dict[str, Expected]:
    return {
        **_scored(reference),
        names.BASELINE_SCORES: Expected(reference.baseline_scores, SCORE),
        names.LABEL: Expected(reference.label),
    }


_OUTPUTS: dict[str, Callable[[Reference], dict[str, Expected]]] = {
    names.SERVING_DEFAULT: _scored,
    names.RAW_COLUMNS: _scored,
    names.TRANSFORM_FEATURES: _transformed,
    names.CLASSIFICATION: _classified,
    names.REGRESSION: _regressed,
    names.EVALUATION: _evaluated,
}
