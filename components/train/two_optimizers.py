"""Trains members with one optimizer for the wide part and one for the rest.

Each member has its own loss. The weights that are judged, and kept, are averages over the steps:
they are better than the last ones, and let the learning rate stay high.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.train.model import WIDE

_EARLY = 9  # the first averages keep t / (t + 9) after t steps


class TwoOptimizers(keras.Model):
    """Trains a graph with FTRL on its wide part and the compiled optimizer on the rest.

    Called, and in evaluation, it returns the logits of the members' mean.

    Args:
      members: the graph with the logits of each member.
      served: the same with those of their mean.
      averaging: share that the average of the weights keeps in a step; 0 for no averages.
    """

    def __init__(self, members: keras.Model, served: keras.Model, averaging: float) -> None:
        super().__init__()
        self._members = members
        self._served = served
        self._averaging = averaging

    def compile(self, *, wide: keras.optimizers.Optimizer, **kwargs: Any) -> None:
        """Take the wide part's optimizer beside Keras's own arguments."""
        super().compile(**kwargs)
        variables = self._served.trainable_variables
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
        return self._served(inputs, training=training)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Take one step of both optimizers on one gradient."""
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            logits = self._members(x, training=True)
            count, units = logits.shape[1:]
            each = None if weight is None else tf.repeat(weight, count)
            loss = self.compute_loss(
                x, tf.repeat(y, count, axis=0), tf.reshape(logits, [-1, units]), each, training=True
            )
        self._loss_tracker.update_state(loss, sample_weight=tf.shape(y)[0])
        # A table's gradient is a list of rows to add up; both optimizers would do this twice.
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, self._deep + self._wide)]
        self.optimizer.apply(gradients[: len(self._deep)], self._deep)
        if self._wide:
            self._wide_optimizer.apply(gradients[len(self._deep) :], self._wide)
        self._average()
        return {"loss": self._loss_tracker.result()}

    def _average(self) -> None:
        if self._averages:
            step = tf.cast(self.optimizer.iterations.value, tf.float32)
            share = 1 - tf.minimum(self._averaging, step / (_EARLY + step))
            for average, variable in zip(
                self._averages, self._served.trainable_variables, strict=True
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

    def averages(self) -> list[np.ndarray]:
        """Return the weights to judge: the averages, or the last ones if there are none."""
        return [v.numpy() for v in self._averages or self._served.trainable_variables]

    def exchange(self, weights: list[np.ndarray]) -> list[np.ndarray]:
        """Put these weights in the place of the present ones, which are returned."""
        variables = self._served.trainable_variables
        present = [v.numpy() for v in variables]
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)
        return present
