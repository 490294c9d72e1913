"""Options of the model that do not fit the task or the features are refused."""

from __future__ import annotations

import pytest

from schemas import catalog
from schemas.errors import ConfigError

PLACE = ("- z_score:\n        log1p: true", "- piecewise_linear")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("stop_by: acu", "did you mean 'auc'?"),
        ("watch: [auc, los_loss]", "did you mean 'log_loss'?"),
        ("monotone: {fare: increasing}", "'fare' has no treatment piecewise_linear"),
        ("monotone: {fair: increasing}", "'fair' has no treatment piecewise_linear"),
        ("monotone: {fare: up}", "Input should be 'increasing' or 'decreasing'"),
        ("embedding_dim: big", "embedding_dim"),
        ("loss: {gamma: -1}", "greater than or equal to 0"),
        ("workers: 0", "greater than or equal to 1"),
        ("workers: 2\n  norm: batch", "layer or none with several workers"),
        ("norm: batches", "Input should be 'none', 'layer' or 'batch'"),
        ("checkpoints: {minutes: 0}", "greater than 0"),
    ],
)
def test_a_wrong_option_is_refused(folder, model, said):
    folder.change("model:\n", f"model:\n  {model}\n")
    with pytest.raises(ConfigError) as caught:
        catalog.load(str(folder))
    assert said in str(caught.value)


def test_options_that_fit_are_taken(folder):
    folder.change(*PLACE)
    options = "stop_by: auc\n  monotone: {fare: increasing}\n  loss: {gamma: 2, margin: 0.1}"
    folder.change("model:\n", f"model:\n  {options}\n")
    model = catalog.load(str(folder)).spec.model
    assert (model.stop_by, model.monotone) == ("auc", {"fare": "increasing"})
    assert (model.loss.gamma, model.loss.is_asymmetric) == (2.0, True)


def test_out_of_fold_rows_need_a_model_for_each_fold(folder):
    folder.change("model:\n", "calibration: {method: beta, rows: out_of_fold}\nmodel:\n")
    with pytest.raises(ConfigError, match=r"calibration\.rows"):
        catalog.load(str(folder))
    folder.change("  key: [fare, hour]", "  key: [fare, hour]\n  folds: 5")
    folder.change("model:\n", "model:\n  per_fold: true\n")
    assert catalog.load(str(folder)).spec.calibration.rows == "out_of_fold"


@pytest.mark.parametrize(
    ("derived", "column", "said"),
    [
        ("", "hour", "the monotone column 'hour' is combined with others by cross"),
        ("fare * 2", "fare", "'double' is derived from the monotone column 'fare'"),
    ],
)
def test_no_other_feature_depends_on_a_monotone_column(folder, derived, column, said):
    folder.change(*PLACE)
    folder.change("[vocabulary, z_score]", "[vocabulary, piecewise_linear]")
    folder.change("model:\n", f"model:\n  monotone: {{{column}: increasing}}\n")
    if derived:
        added = f"derive:\n  double: {derived}\nfeatures:\n  double: z_score\n"
        folder.change("features:\n", added)
    with pytest.raises(ConfigError, match=said):
        catalog.load(str(folder))


def of_a_number(folder):
    folder.change("  name: big_tip\n", "  name: big_tip\n  task: regression\n")
    folder.change("  exceeds: {column: tips, fraction: 0.2, of: fare}", "  column: tips")
    folder.change("    auc: {min: 0.6}", "    rmse: {max: 9}")


def test_quantiles_of_an_interval_need_a_share_of_rows_to_cover(folder):
    of_a_number(folder)
    folder.change("  column: tips", "  column: tips\n  interval: [0.05, 0.95]")
    with pytest.raises(ConfigError, match=r"label\.interval has no effect"):
        catalog.load(str(folder))


def test_losses_of_classes_are_refused_for_a_number(folder):
    folder.change("model:\n", "model:\n  loss: {label_smoothing: 0.1}\n")
    of_a_number(folder)
    with pytest.raises(ConfigError, match="are for classes, and the label is a number"):
        catalog.load(str(folder))
