"""The section `calibration` of pipeline.yaml: how probabilities are made to match frequencies."""

from __future__ import annotations

from typing import Literal

import pydantic

from schemas.strict import Strict

# What is fitted for a probability, the one with the fewest parameters first.
OF_PROBABILITIES = ("temperature", "platt", "beta", "isotonic")

Method = Literal["none", "auto", "temperature", "platt", "beta", "isotonic", "quantile"]


class Calibration(Strict):
    """A function of the model's logits that is fitted after training, to rows that it has not seen.

    Attributes:
      method: `temperature` divides logits by a number (Guo et al. 2017, arXiv:1706.04599); `platt`
        is a line (Platt 1999); `beta` a line of log p and log(1 - p) (Kull et al. 2017,
        AISTATS 54); `isotonic` a rising piecewise-linear function (Zadrozny and Elkan 2002). Of
        more than two classes, all but the first one are fitted to each class against the others.
        `quantile` moves predictions of `label.quantile` until their share of the rows is below
        them. `auto` is the one with the least cross-validated log-loss, or none if none of them is
        better beyond noise.
      rows: what it is fitted to, as are intervals and sets of a chosen coverage: the `eval` split,
        or the training rows by `out_of_fold` answers of the models of folds. These are more rows,
        and training was not stopped by them; they are answers of one model each, not of the mean.
    """

    method: Method = "none"
    rows: Literal["eval", "out_of_fold"] = "eval"

    @pydantic.model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        """Read `calibration: beta` as its method."""
        return {"method": value} if isinstance(value, str) else value

    @property
    def on(self) -> bool:
        """Whether anything is fitted."""
        return self.method != "none"
