"""`weight_of_evidence`: the log odds of class 1 where a value is, less those of all training rows.

Training rows have those of other folds; see `label_encoding`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from components.transform.label_encoding import encoded
from components.transform.sums_by_value import GroupSums
from components.transform.treatments.protocol import Target, Use
from schemas.treatments.weight_of_evidence import WeightOfEvidence

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use], target: Target) -> Tensors:
    """Return the weights of evidence; missing is a value of its own."""
    return encoded(inputs, uses, target, figures)


def figures(
    sums: GroupSums, smooth: GroupSums, whole: GroupSums, options: WeightOfEvidence
) -> np.ndarray:
    """Return the smoothed log odds of values, less those of all training rows.

    They are 0 if the rows that smooth have one class alone.
    """
    prior = smooth.mean
    share = (sums.number + options.smoothing * prior) / (sums.weight[:, None] + options.smoothing)
    if not 0 < prior < 1:
        return np.zeros_like(share)
    return _log_odds(share) - _log_odds(prior)


def _log_odds(share: np.ndarray) -> np.ndarray:
    return np.log(share) - np.log1p(-share)
