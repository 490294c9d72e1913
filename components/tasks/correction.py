"""Corrects logits of a model that was trained on a sample of some classes: prior correction.

A sample that keeps a share r of a class multiplies its odds by r, and nothing else (King and Zeng
2001, "Logistic Regression in Rare Events Data"). So the logit of a class is raised by -log r, and
scores are calibrated to the rows before the sample.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from components.tasks.learned import CORRECTION


def measured_corrections(
    sampled: Mapping[str, tuple[int, int]], classes: Sequence[str]
) -> dict[str, list[float]]:
    """Return what is added to the logit of each class; nothing without a sample by class.

    Args:
      sampled: how many training rows of each class there were before the sample, and after it.
      classes: the names of the classes in the order of their logits.

    >>> measured_corrections({"0": (900, 100), "1": (50, 50)}, ["0", "1"])
    {'correction': [2.1972245773362196, 0.0]}
    """
    if not sampled:
        return {}
    return {CORRECTION: [-math.log(share) + 0.0 for share in shares_kept(sampled, classes)]}


def shares_kept(sampled: Mapping[str, tuple[int, int]], classes: Sequence[str]) -> list[float]:
    """Return how many rows of each class a sample leaves for each that there was; 1 for none."""
    rows = [sampled.get(name, (0, 0)) for name in classes]
    return [after / before if before and after else 1.0 for before, after in rows]


def correct(logits: tf.Tensor, learned: Mapping[str, Any]) -> tf.Tensor:
    """Return corrected logits, [rows] or [rows, classes].

    A single logit is that of the second of two classes, against the first.
    """
    added = learned.get(CORRECTION)
    if added is None:
        return logits
    single = logits.shape.rank == 1
    return logits + tf.constant(added[1] - added[0] if single else added, logits.dtype)
