"""Transformed Examples and a model's options → its least loss on the eval split."""

from __future__ import annotations

import contextlib
import logging
import math
import os
from collections.abc import Callable, Iterator, Mapping

from components import files, progress
from components.tasks.protocol import work_of
from components.train.fit import fit_wide_deep
from components.train.inputs import Feed, labels
from components.train.sizes import batch_rows
from components.train.train import as_sampled
from components.train.weights import weighting
from schemas import layout as layouts
from schemas.errors import ModelError
from schemas.layout import Layout
from schemas.model import Model
from schemas.tasks.options import TaskOptions

_EVAL_BATCH = 8192

# Receives the number of a round and its loss on eval; may raise to end the training.
AfterRound = Callable[[int, float], None]


class Objective:
    """Trains models on the same transformed examples.

    Args:
      examples: folder of transformed examples.
      graph: the transform graph's folder, for its layout.
      task: what is predicted.
      sampled: how many training rows of each class there were before a sample, and after it.

    Attributes:
      rows: of the training split.
    """

    def __init__(
        self,
        examples: str,
        graph: str,
        task: TaskOptions,
        sampled: Mapping[str, tuple[int, int]],
    ) -> None:
        path = os.path.join(graph, layouts.FILE_NAME)
        self._examples = examples
        self._layout = Layout.model_validate_json(files.read_bytes(path))
        learned = self._layout.label_learned
        rows = labels(examples, "train", self._layout, task.weight)
        self._head = work_of(task.task).head(rows, task, learned, where=examples)
        sampled_head = as_sampled(self._head, sampled, task.class_names(learned))
        self._weights = {
            "train": weighting(examples, "train", self._layout, task, self._head),
            "eval": weighting(examples, "eval", self._layout, task, sampled_head),
        }
        self._eval = self._feed("eval", _EVAL_BATCH)
        self.rows = self._feed("train", _EVAL_BATCH).rows

    def __call__(self, model: Model, after_round: AfterRound) -> float:
        """Return the least loss on eval of a model with these options.

        A run has another order of the rows, so its loss differs a little.

        Raises:
          ModelError: the loss is not a finite number.
        """
        train = self._feed("train", model.batch_size or batch_rows(self.rows), model.seed)
        with _each_round(after_round):
            _, fit, _ = fit_wide_deep(self._layout, model, self._head, train, self._eval)
        return _finite(min(fit.eval_loss))

    def _feed(self, split: str, batch: int, seed: int | None = None) -> Feed:
        weights = self._weights[split]
        return Feed(
            self._examples, split, self._layout, batch_size=batch, seed=seed, weights=weights
        )


def _finite(loss: float) -> float:
    if not math.isfinite(loss):
        raise ModelError(f"the loss on eval became {loss}", remedy="lower the learning rate")
    return loss


@contextlib.contextmanager
def _each_round(after_round: AfterRound) -> Iterator[None]:
    """Call a function with what training reports after each round."""

    class RoundHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            event = getattr(record, "event", None)
            if isinstance(event, progress.Event) and event.kind == "metrics":
                after_round(int(event.values["epoch"]), _finite(float(event.values["eval_loss"])))

    handler = RoundHandler()
    level, propagate = progress.LOGGER.level, progress.LOGGER.propagate
    progress.LOGGER.addHandler(handler)
    progress.LOGGER.setLevel(logging.INFO)
    progress.LOGGER.propagate = False  # a screen would show every round
    try:
        yield
    finally:
        progress.LOGGER.setLevel(level)
        progress.LOGGER.propagate = propagate
        progress.LOGGER.removeHandler(handler)
