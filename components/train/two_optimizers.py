"""Trains members with one optimizer for the wide part and one for the rest.

Each member has its own loss. The weights that are judged, and kept, are averages over the steps:
they are better than the last ones, and let the learning rate stay high.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.train.model import WIDE
from components.train.workers import Workers

_EARLY = 9  # the first averages keep t / (t + 9) after t steps


class TwoOptimizers(keras.Model):
    """Trains a graph with FTRL on its wide part and the compiled optimizer on the rest.

    Called, and in evaluation, it returns the logits of the members' mean.

    Args:
      members: the graph with the logits of each member.
      served: the same with those of their mean.
      averaging: share that the average of the weights keeps in a step; 0 for no averages.
      clip_norm: the largest norm of a gradient; None for any.
      workers: the processes that train the same model; None of a single one.

    Attributes:
      served: the graph of the members' mean.
    """

    def __init__(
        self,
        members: keras.Model,
        served: keras.Model,
        averaging: float,
        clip_norm: float | None = None,
        workers: Workers | None = None,
    ) -> None:
        super().__init__()
        self._members = members
        self.served = served
        self._averaging = averaging
        self._clip_norm = clip_norm
        self._workers = workers
        self._averages: list[tf.Variable] = []

    def compile(
        self,
        *,
        wide: keras.optimizers.Optimizer,
        training_loss: keras.losses.Loss | None = None,
        penalty: Callable[[Sequence[Any]], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Take more than Keras's own arguments.

        Args:
          wide: the wide part's optimizer.
          training_loss: what training minimizes instead of `loss`.
          penalty: what training adds to it, of the deep part's variables.
          kwargs: Keras's own.
        """
        super().compile(**kwargs)
        self._training_loss = training_loss
        self._penalty = penalty
        variables = self.served.trainable_variables
        self._wide = [v for v in variables if v.path.startswith(WIDE)]
        self._deep = [v for v in variables if not v.path.startswith(WIDE)]
        self._wide_optimizer = wide
        self._wide_optimizer.build(self._wide)
        self.optimizer.build(self._deep)
        self._averages = [
            tf.Variable(v.value, trainable=False) for v in variables if self._averaging
        ]

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the logits of the members' mean."""
        return self.served(inputs, training=training)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Take one step of both optimizers on one gradient."""
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            logits = self._members(x, training=True)
            count, units = logits.shape[1:]
            each = None if weight is None else tf.repeat(weight, count)
            labels, flat = tf.repeat(y, count, axis=0), tf.reshape(logits, [-1, units])
            if self._training_loss is not None:
                loss = self._training_loss(labels, flat, each)
            else:
                loss = self.compute_loss(x, labels, flat, each, training=True)
            if self._penalty is not None:
                loss += self._penalty(self._deep)
        # A table's gradient is a list of rows to add up; both optimizers would do this twice.
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, self._deep + self._wide)]
        rows = tf.shape(y)[0]
        if self._workers is not None:
            loss, gradients, rows = self._workers.mean(loss, gradients, rows)
        self._loss_tracker.update_state(loss, sample_weight=rows)
        if self._clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, self._clip_norm)
        self.optimizer.apply(gradients[: len(self._deep)], self._deep)
        if self._wide:
            self._wide_optimizer.apply(gradients[len(self._deep) :], self._wide)
        self._average()
        return {"loss": self._loss_tracker.result()}

    def test_step(self, data: Any) -> dict[str, Any]:
        """Measure the loss on the rows of all processes."""
        if self._workers is None:
            return dict(super().test_step(data))
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        loss = self.compute_loss(x, y, self(x, training=False), weight, training=False)
        loss, _, rows = self._workers.mean(loss, [], tf.shape(y)[0])
        self._loss_tracker.update_state(loss, sample_weight=rows)
        return {"loss": self._loss_tracker.result()}

    def _average(self) -> None:
        if self._averages:
            step = tf.cast(self.optimizer.iterations.value, tf.float32)
            share = 1 - tf.minimum(self._averaging, step / (_EARLY + step))
            for average, variable in zip(
                self._averages, self.served.trainable_variables, strict=True
            ):
                average.assign_sub(share * (average - variable.value))

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return int(self.optimizer.iterations)

    @property
    def state(self) -> list[Any]:
        """All variables that training changes, in a fixed order."""
        optimizers = (*self.optimizer.variables, *self._wide_optimizer.variables)
        return [*self._members.variables, *optimizers, *self._averages]

    @property
    def _weights(self) -> list[Any]:
        """What a saved model has: what optimizers train, and statistics of normalization."""
        return [*self.served.trainable_variables, *self.served.non_trainable_weights]

    def averages(self) -> list[np.ndarray]:
        """Return the weights to judge: the averages, or the last ones if there are none."""
        trained = self._averages or self.served.trainable_variables
        return [v.numpy() for v in (*trained, *self.served.non_trainable_weights)]

    def exchange(self, weights: list[np.ndarray]) -> list[np.ndarray]:
        """Put these weights in the place of the present ones, which are returned."""
        present = [v.numpy() for v in self._weights]
        for variable, value in zip(self._weights, weights, strict=True):
            variable.assign(value)
        return present
