"""Metrics of the task on the eval split, for training that stops by one or records them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.tasks.protocol import work_of
from components.train.inputs import Feed
from components.train.model import logits_shape
from components.train.rounds import Judgement
from schemas.errors import DataError
from schemas.signatures import RAW_COLUMNS, SCORES
from schemas.tasks.options import TaskOptions


class Judge:
    """Measures a model as evaluation does.

    Args:
      task: has the metric among those that can be better or worse.
      learned: what the task has learned, by name.
      rows: the eval split, with the rows' own weights if there are any.
      stop_by: the metric that scores the model; None for its loss.
      watch: the metrics to record beside it.
    """

    def __init__(
        self,
        task: TaskOptions,
        learned: Mapping[str, Any],
        rows: Feed,
        *,
        stop_by: str | None,
        watch: Collection[str] = (),
    ) -> None:
        self._task = task
        self._work = work_of(task.task)
        self._answers = self._work.answers(task, type(task).EXPORT(task=task.task), learned)[
            RAW_COLUMNS
        ]
        self._rows = rows
        self._metric = None if stop_by is None else type(task).metric(stop_by)
        self._names = dict.fromkeys([*watch] if stop_by is None else [stop_by, *watch])
        self._traced: tuple[keras.Model | None, Any] = (None, None)

    def __call__(self, model: keras.Model) -> Judgement:
        """Return the metrics of a model.

        Raises:
          DataError: the metric to stop by does not exist on these rows.
        """
        tally, scores = self._work.tally(self._task, 1), self._scores(model)
        for inputs, label, *weights in self._rows.dataset():
            graded = self._work.grade(scores(inputs).numpy(), label.numpy()[:, 0], self._task)
            own = [w.numpy().astype(np.float64) for w in weights]
            tally.add(graded, weights=own[0] if own else None)
        measured = self._work.metrics(tally) or {}
        found = {name: measured.get(name) for name in self._names}
        if self._metric is None:
            return Judgement(None, found)
        value = found[self._metric.name]
        if value is None:
            raise DataError(
                f"the metric {self._metric.name!r} does not exist on the eval split"
                f"{self._metric.undefined and ': ' + self._metric.undefined}",
                where="model.stop_by",
                remedy="stop by another metric, or by loss",
            )
        return Judgement(self._metric.loss(float(value)), found)

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
