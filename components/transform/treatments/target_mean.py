"""`target_mean`: the label's mean over the training rows with the same value.

Training rows have the mean of other folds; see `label_encoding`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from components.transform.label_encoding import encoded
from components.transform.sums_by_value import GroupSums
from components.transform.treatments.protocol import Target, Use
from schemas.treatments.target_mean import TargetMean

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use], target: Target) -> Tensors:
    """Return means, from the overall one, in standard deviations; missing is a value of its own."""
    return encoded(inputs, uses, target, figures)


def figures(
    sums: GroupSums, smooth: GroupSums, whole: GroupSums, options: TargetMean
) -> np.ndarray:
    """Return the smoothed means of values, standardized by all training rows."""
    count = sums.weight[:, None]
    if options.smoothing == "auto":
        between = smooth.variance * count
        within = sums.variance
        both = between + within
        share = np.divide(between, both, out=np.zeros_like(both), where=both > 0)
    else:
        share = count / (count + options.smoothing)
    mean = share * sums.mean + (1 - share) * smooth.mean
    deviation = np.sqrt(whole.variance)
    return (mean - whole.mean) / np.where(deviation > 0, deviation, np.inf)
