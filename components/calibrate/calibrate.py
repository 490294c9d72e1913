"""A trained model and rows new to it → the same model with a fitted calibration beside it.

The function writes the folder of training again, with calibration.json, which export, parity and
push read. The test split is not looked at.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import Field

from components import files, progress
from components.calibrate.choose import Candidate, apply, best, candidates
from components.calibrate.choose import held_out as cross_validated
from components.calibrate.fit import fit
from components.calibrate.held_out import held_out, out_of_fold
from components.tasks.calibration import Calibrator
from components.tasks.learned import CALIBRATION_FILE, read_learned
from components.tasks.protocol import HeldOut, optional
from components.tasks.reliability import Diagram, diagram
from components.tasks.uncertainty import conformal_threshold
from schemas import layout as layouts
from schemas.calibration import Calibration
from schemas.errors import DataError
from schemas.layout import Layout
from schemas.strict import Strict
from schemas.tasks.options import TaskOptions

SPLIT = "eval"
OUT_OF_FOLD = "out_of_fold"
_LEAST_ROWS = 100


class Calibrated(Strict):
    """What was fitted, as written to calibration.json.

    Attributes:
      method: the method, which `auto` may have chosen; "none" leaves logits as they are.
      rows: how many of the eval split, or out of fold, count.
      calibrator: the function; None of "none".
      candidates: how every method did under cross-validation; none if only one was wanted.
      coverage: the wanted share of rows in intervals or sets, if there are any.
      conformal: the most that an answer may miss by to be in them.
      before: by class, the reliability of the probabilities without calibration on these rows.
      after: the same with it, each row by a fit to other rows.
    """

    method: str
    rows: int
    calibrator: Calibrator | None
    candidates: tuple[Candidate, ...] = ()
    coverage: float | None = None
    conformal: float | None = None
    before: dict[str, Diagram] = Field(default_factory=dict)
    after: dict[str, Diagram] = Field(default_factory=dict)


def calibrate(
    *,
    examples: str,
    trained: str,
    task: TaskOptions,
    calibration: Calibration,
    output: str,
    coverage: float | None = None,
) -> Calibrated:
    """Fit a calibration to the eval split, or to training rows out of fold.

    Args:
      examples: folder of transformed examples.
      trained: folder of the trained model.
      task: what is predicted.
      calibration: what to fit.
      output: folder that gets the trained model and calibration.json.
      coverage: share of rows whose label is in the interval or the set of classes of an answer;
        None without these.

    Returns:
      What was fitted.

    Raises:
      DataError: the eval split has too few rows, or rows of one class alone.
    """
    layout = Layout.model_validate_json(files.read_bytes(os.path.join(trained, layouts.FILE_NAME)))
    if calibration.rows == OUT_OF_FOLD:
        rows = out_of_fold(examples, trained, layout, task)
    else:
        rows = held_out(examples, SPLIT, trained, layout, task)
    _check(rows, examples)
    quantile = optional(task.task, "quantile_shift")
    if calibration.method == "none":
        fitted = Calibrated(method="none", rows=len(rows.labels), calibrator=None)
    elif quantile is not None:
        shift = quantile(rows, task, read_learned(trained))
        fitted = Calibrated(
            method="quantile",
            rows=len(rows.labels),
            calibrator=Calibrator(kind="line", rows=((1.0, shift),)),
        )
    else:
        classes = task.class_names(read_learned(trained))
        fitted = _of_probabilities(rows, calibration.method, classes)
    if coverage is not None:
        threshold = _threshold(rows, fitted, coverage, task, read_learned(trained), examples)
        fitted = fitted.model_copy(update={"coverage": coverage, "conformal": threshold})
    files.copy_tree(trained, output)
    files.write_whole(os.path.join(output, CALIBRATION_FILE), fitted.model_dump_json(indent=1))
    if calibration.on:
        progress.remark("calibrate", _in_words(fitted, calibration))
    return fitted


def _check(rows: HeldOut, examples: str) -> None:
    if len(rows.labels) < _LEAST_ROWS or len(np.unique(rows.labels)) < 2:
        raise DataError(
            f"the eval split has {len(rows.labels):,} rows that count, of"
            f" {len(np.unique(rows.labels)):,} different labels, which is too few to calibrate on",
            where=examples,
            expected=f"at least {_LEAST_ROWS} rows with different labels",
            remedy="give more rows, or a larger `splits.eval`, or remove `calibration`",
        )


def _threshold(
    rows: HeldOut,
    fitted: Calibrated,
    coverage: float,
    task: TaskOptions,
    learned: Mapping[str, Any],
    where: str,
) -> float:
    """Return the conformal threshold of calibrated answers."""
    if fitted.calibrator is not None:
        rows = rows._replace(logits=apply(fitted.calibrator, rows.logits))
    misses = optional(task.task, "misses")
    assert misses is not None  # a task without it has no coverage
    missed = misses(rows, task, learned)
    threshold = conformal_threshold(missed, rows.weights, coverage)
    if threshold is None:
        raise DataError(
            f"the eval split has {fitted.rows:,} rows, which is too few for a coverage of"
            f" {coverage:g}",
            where=where,
            expected=f"at least {math.ceil(coverage / (1 - coverage)):,} rows",
            remedy="give more rows, or a larger `splits.eval`, or a smaller `export.coverage`",
        )
    return threshold


def _of_probabilities(rows: HeldOut, method: str, classes: tuple[str, ...]) -> Calibrated:
    """Fit a method, or the best one, and measure how reliable it makes the probabilities."""
    logits, weights = rows.logits, rows.weights
    labels = rows.labels.astype(np.int64)
    measured = candidates(logits, labels, weights) if method == "auto" else ()
    method = best(measured) if method == "auto" else method
    after = cross_validated(method, logits, labels, weights)
    return Calibrated(
        method=method,
        rows=len(labels),
        calibrator=None if method == "none" else fit(method, logits, labels, weights),
        candidates=measured,
        before=_reliability(logits, labels, weights, classes),
        after=_reliability(after, labels, weights, classes),
    )


def _reliability(
    logits: np.ndarray, labels: np.ndarray, weights: np.ndarray, classes: tuple[str, ...]
) -> dict[str, Diagram]:
    """Return a diagram for each class; of two classes, for the second one."""
    if logits.ndim == 1:
        return {classes[1]: diagram(1 / (1 + np.exp(-logits)), labels == 1, weights)}
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return {name: diagram(p[:, i], labels == i, weights) for i, name in enumerate(classes)}


def _in_words(fitted: Calibrated, calibration: Calibration) -> str:
    if calibration.method != "auto":
        where = "out of fold" if calibration.rows == OUT_OF_FOLD else "of the eval split"
        return f"{fitted.method} was fitted to {fitted.rows:,} rows {where}"
    plain, *others = fitted.candidates
    top = max(others, key=lambda each: each.gain)
    gain = f"{top.gain:+.5f} ± {top.error:.5f} of {plain.log_loss:.5f}"
    if fitted.method == "none":
        return f"no calibration: the best, {top.method}, would gain {gain} log-loss, which is noise"
    return f"{fitted.method}: cross-validated gain in log-loss {gain}"
