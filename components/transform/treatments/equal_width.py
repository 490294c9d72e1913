"""`equal_width`: the interval of equal width that a number is in."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from components.column_tensors import by_name, integers_first, numbers
from components.transform import distributions
from components.transform.constants import constants_by_column
from components.transform.intervals import numbered, padded
from components.transform.treatments.protocol import Use
from schemas.layout import TransformedFeature
from schemas.treatments.equal_width import EqualWidth

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Number the intervals from 1; missing is 0."""
    options: dict[str, EqualWidth] = {use.column: use.options for use in uses}
    columns = integers_first((name, inputs[name]) for name in options)
    value = numbers([inputs[c] for c in columns])
    counts = [options[c].buckets for c in columns]
    width = max(counts) - 1
    ends = distributions.learn(value, 1, functools.partial(_ends, counts, width), width)
    return by_name((f"{c}_equal_width" for c in columns), numbered(value, ends))


def _ends(counts: Sequence[int], width: int, extremes: np.ndarray) -> np.ndarray:
    """Return the ends between intervals; a column of one value, or none, has one interval."""
    return padded(
        [
            np.linspace(low, high, count + 1)[1:-1] if low < high else np.zeros(0)
            for (low, high), count in zip(extremes, counts, strict=True)
        ],
        width,
    )


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[float]]:
    """Return, by column, numbers at which one of its intervals may end."""
    return constants_by_column(graph, features)
