"""How much the training rows of each class count, as `label.class_weights` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from schemas.tasks.class_weights import BALANCED


def weights_of_classes(
    chosen: str | Mapping[str, float] | None, classes: Sequence[str], totals: np.ndarray
) -> np.ndarray | None:
    """Return the weight of each class, float64 [classes]; None if all count the same.

    Balanced classes have the same total, and their rows a mean weight of 1; a class without rows
    weighs 1.

    Args:
      chosen: the option.
      classes: their names in the order of their numbers.
      totals: the summed weights of the rows of each class, [classes].

    >>> weights_of_classes("balanced", ["a", "b"], np.array([1.0, 3.0])).tolist()
    [2.0, 0.6666666666666666]
    """
    if chosen is None:
        return None
    if chosen == BALANCED:
        present = totals > 0
        share = totals.sum() / np.count_nonzero(present)
        return np.divide(share, totals, out=np.ones(len(totals)), where=present)
    assert isinstance(chosen, Mapping)  # the option has no other text
    return np.array([chosen.get(name, 1.0) for name in classes])


def measured_weights(by_class: np.ndarray | None) -> dict[str, list[float]]:
    """Return the weights for training.json, nothing if all classes count the same."""
    return {} if by_class is None else {"class_weights": by_class.tolist()}
