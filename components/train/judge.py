"""A metric of the task on the eval split, for training that stops by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.tasks.protocol import work_of
from components.train.inputs import Feed
from components.train.model import logits_shape
from schemas.errors import DataError
from schemas.signatures import RAW_COLUMNS, SCORES
from schemas.tasks.options import TaskOptions


class Judge:
    """Scores a model by a metric as evaluation measures it.

    Args:
      task: has the metric among those that can be better or worse.
      learned: what the task has learned, by name.
      rows: the eval split, with the rows' own weights if there are any.
      metric: the metric's name.
    """

    def __init__(
        self, task: TaskOptions, learned: Mapping[str, Any], rows: Feed, metric: str
    ) -> None:
        self._task = task
        self._work = work_of(task.task)
        self._answers = self._work.answers(task, type(task).EXPORT(task=task.task), learned)[
            RAW_COLUMNS
        ]
        self._rows = rows
        self._metric = type(task).metric(metric)
        self._traced: tuple[keras.Model | None, Any] = (None, None)

    def __call__(self, model: keras.Model) -> float:
        """Return the metric of a model, so that less is better.

        Raises:
          DataError: the metric does not exist on these rows.
        """
        tally, scores = self._work.tally(self._task, 1), self._scores(model)
        for inputs, label, *weights in self._rows.dataset():
            graded = self._work.grade(scores(inputs).numpy(), label.numpy()[:, 0], self._task)
            own = [w.numpy().astype(np.float64) for w in weights]
            tally.add(graded, weights=own[0] if own else None)
        value = (self._work.metrics(tally) or {}).get(self._metric.name)
        if value is None:
            raise DataError(
                f"the metric {self._metric.name!r} does not exist on the eval split"
                f"{self._metric.undefined and ': ' + self._metric.undefined}",
                where="model.stop_by",
                remedy="stop by another metric, or by loss",
            )
        return self._metric.loss(float(value))

    def _scores(self, model: keras.Model) -> Any:
        """Return a function from inputs to scores, traced once a model."""
        if self._traced[0] is not model:
            shape = logits_shape(model)
            self._traced = (
                model,
                tf.function(
                    lambda x: self._answers(tf.reshape(model(x, training=False), shape))[SCORES],
                    reduce_retracing=True,
                ),
            )
        return self._traced[1]
