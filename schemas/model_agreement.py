"""Checks that `model:` of pipeline.yaml fits the task and the features, before any data is read."""

from __future__ import annotations

from schemas.derived import DerivedColumn, needed, raw_names
from schemas.errors import ConfigError, did_you_mean
from schemas.model import OWN_LOSS
from schemas.spec import Spec
from schemas.tasks.binary import Binary
from schemas.tasks.regression import Regression
from schemas.treatments.piecewise_linear import PiecewiseLinear


def check_model(spec: Spec, derived: tuple[DerivedColumn, ...], *, where: str) -> None:
    """Check that options of the model have an effect that their names promise.

    Args:
      spec: pipeline.yaml.
      derived: the derived columns of pipeline.yaml.
      where: its path.

    Raises:
      ConfigError: the task has another loss, or does not have a metric to stop by or to
        watch; batch norm has several workers; a monotone column has no place, or is in a cross
        or in a derived column.
    """
    _check_loss(spec, f"{where}: model.loss")
    _check_stop(spec, f"{where}: model.stop_by")
    _check_watch(spec, f"{where}: model.watch")
    if spec.model.workers != 1 and spec.model.norm == "batch":
        raise ConfigError(
            "`norm: batch` would normalize by the rows of each process, not by those of a batch",
            where=f"{where}: model.norm",
            expected="layer or none with several workers",
        )
    for column in spec.model.monotone:
        _check_monotone(spec, column, f"{where}: model.monotone")
        _check_others(spec, derived, column, f"{where}: model.monotone")


def _check_loss(spec: Spec, where: str) -> None:
    loss, task = spec.model.loss, spec.label
    if not loss.is_own and isinstance(task, Regression):
        raise ConfigError(
            "the options of model.loss are for classes, and the label is a number",
            where=where,
            remedy="choose the loss by label.quantile, label.poisson or label.log1p",
        )
    if loss.is_asymmetric and not isinstance(task, Binary):
        raise ConfigError(
            "gamma_negative and margin are for two classes",
            where=where,
            expected="label_smoothing and gamma for several classes",
        )


def _check_stop(spec: Spec, where: str) -> None:
    known = [OWN_LOSS, *(metric.name for metric in type(spec.label).judged())]
    if spec.model.stop_by not in known:
        raise ConfigError(
            f"there is no metric {spec.model.stop_by!r} to stop by",
            where=where,
            expected=did_you_mean(spec.model.stop_by, known),
        )


def _check_watch(spec: Spec, where: str) -> None:
    known = [metric.name for metric in type(spec.label).judged()]
    for name in spec.model.watch:
        if name not in known:
            raise ConfigError(
                f"there is no metric {name!r} to watch",
                where=where,
                expected=did_you_mean(name, known),
            )


def _check_monotone(spec: Spec, column: str, where: str) -> None:
    if not isinstance(spec.label, Binary | Regression):
        raise ConfigError(
            "a score of several classes has no direction",
            where=where,
            expected="monotone columns for two classes or a number",
        )
    places = [use.columns for use in spec.uses if isinstance(use.options, PiecewiseLinear)]
    if (column,) not in places:
        raise ConfigError(
            f"the monotone column {column!r} has no treatment piecewise_linear",
            where=where,
            expected="the names of columns of features with this treatment",
            remedy=f"add piecewise_linear to {column!r} under features, or correct the name",
        )


def _check_others(spec: Spec, derived: tuple[DerivedColumn, ...], column: str, where: str) -> None:
    """Check that no feature of another column depends on a monotone one."""
    for use in spec.uses:
        if len(use.columns) > 1 and column in use.columns:
            raise ConfigError(
                f"the monotone column {column!r} is combined with others by {use.options.kind},"
                " whose results have no direction",
                where=where,
                remedy=f"drop that use of {use.options.kind}, or the column from monotone",
            )
    for name, filling in spec.missing.items():
        if filling.by == column:
            raise ConfigError(
                f"missing values of {name!r} depend on the monotone column {column!r}",
                where=where,
                remedy=f"remove `by` from missing.{name}, or the column from monotone",
            )
    for name in spec.feature_columns:
        made_of = {*raw_names(derived, (name,)), *(each.name for each in needed(derived, (name,)))}
        if name != column and column in made_of:
            raise ConfigError(
                f"the feature {name!r} is derived from the monotone column {column!r}",
                where=where,
                expected="a column that acts on the score through its own features alone",
                remedy=f"drop the feature {name!r}, or the column from monotone",
            )
