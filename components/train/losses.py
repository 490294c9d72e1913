"""What training minimizes: the task's own loss or another one, and a penalty of large weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from components.tasks.protocol import Head
from schemas.model import AdamW, Loss

TABLE = "table"  # of embeddings
KERNELS = ("kernel", "u", "v", "query_kernel")


def training_loss(head: Head, options: Loss) -> keras.losses.Loss | None:
    """Return the loss of labels [rows, 1] and logits [rows, units]; None for the head's own."""
    if options.is_own:
        return None
    return _Binary(options) if head.link == "sigmoid" else _Multiclass(options, head.units)


def penalty_of(options: AdamW) -> Callable[[Sequence[Any]], Any] | None:
    """Return the penalty of the deep part's variables; None if there is none."""
    if not (options.l1 or options.l2 or options.embedding_l2):
        return None

    def penalty(variables: Sequence[Any]) -> Any:
        ops, total = keras.ops, 0.0
        for variable in variables:
            if variable.name == TABLE:
                total += options.embedding_l2 * ops.sum(ops.square(variable))
            elif variable.name in KERNELS:
                total += options.l1 * ops.sum(ops.absolute(variable))
                total += options.l2 * ops.sum(ops.square(variable))
        return total

    return penalty


class _Binary(keras.losses.Loss):
    """Cross-entropy of two classes that are weighted by their probabilities.

    -y (1 - p)^g log p - (1 - y) q^h log(1 - q), where q = max(p - margin, 0): equation 7 of Ridnik
    et al. 2021, arXiv:2009.14119. With g = h and no margin it is the focal loss of Lin et al. 2017.
    """

    def __init__(self, options: Loss) -> None:
        super().__init__()
        self._options = options

    def call(self, y: Any, logits: Any) -> Any:
        """Return the loss of each row."""
        options, ops = self._options, keras.ops
        y = _smoothed(ops.cast(y, logits.dtype), options.label_smoothing, 2)
        p = ops.sigmoid(logits)
        negative = options.gamma if options.gamma_negative is None else options.gamma_negative
        if options.margin:
            q = ops.relu(p - options.margin)
            no = -ops.log1p(-ops.minimum(q, 1 - 1e-7))
        else:
            q, no = p, ops.softplus(logits)
        yes = _focused(1 - p, options.gamma, ops.softplus(-logits))
        return ops.mean(y * yes + (1 - y) * _focused(q, negative, no), axis=-1)


class _Multiclass(keras.losses.Loss):
    """Cross-entropy of several classes, where one of probability p counts by (1 - p)^g."""

    def __init__(self, options: Loss, classes: int) -> None:
        super().__init__()
        self._options = options
        self._classes = classes

    def call(self, y: Any, logits: Any) -> Any:
        """Return the loss of each row."""
        ops = keras.ops
        number = ops.cast(ops.squeeze(y, -1), "int32")
        y = _smoothed(
            ops.one_hot(number, self._classes), self._options.label_smoothing, self._classes
        )
        logarithms = ops.log_softmax(logits, axis=-1)
        losses = _focused(1 - ops.exp(logarithms), self._options.gamma, -logarithms)
        return ops.sum(y * losses, axis=-1)


def _smoothed(y: Any, share: float, classes: int) -> Any:
    return y * (1 - share) + share / classes


def _focused(doubt: Any, gamma: float, loss: Any) -> Any:
    """Return doubt^gamma * loss; the gradient of a power is infinite at 0 for gammas under 1."""
    if not gamma:
        return loss
    return keras.ops.power(keras.ops.maximum(doubt, 1e-7), gamma) * loss
