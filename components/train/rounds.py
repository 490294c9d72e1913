"""What happens at the end of a round of training: it is recorded and judged; the best is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np

from components import progress
from components.train.history import Round


@dataclass(frozen=True)
class Judgement:
    """What a model is worth on the eval split.

    Attributes:
      score: less is better; None is the loss.
      metrics: by name; None if undefined on these rows.
    """

    score: float | None
    metrics: dict[str, float | None]


class KeepBest(keras.callbacks.Callback):
    """Judges the averages of the weights, stops when they get no better, and keeps the best.

    Args:
      patience: rounds without a better score, after which training stops.
      judge: measures the model beside its eval loss.
      agreed: makes one score of those of several processes, which may differ by rounding.

    Attributes:
      scores: of each round; less is better.
      metrics: of the last round, by name.
      best: the weights of the best round.
    """

    def __init__(
        self,
        patience: int,
        judge: Callable[[keras.Model], Judgement] | None = None,
        agreed: Callable[[float], float] = float,
    ) -> None:
        super().__init__()
        self._patience = patience
        self._judge = judge
        self._agreed = agreed
        self._last: list[np.ndarray] = []
        self.scores: list[float] = []
        self.metrics: dict[str, float | None] = {}
        self.best: list[np.ndarray] = []

    @property
    def best_round(self) -> int:
        """The number of the best round, from 1."""
        return int(np.argmin(np.nan_to_num(self.scores, nan=np.inf))) + 1

    @property
    def is_over(self) -> bool:
        """Whether the last rounds brought nothing."""
        return bool(self.scores) and len(self.scores) - self.best_round >= self._patience

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Put the averages in the place of the weights."""
        self._last = self.model.exchange(self.model.averages())

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        """Judge them, and put the weights back."""
        found = self._judge(self.model.served) if self._judge else Judgement(None, {})
        judged = self.model.exchange(self._last)
        self.metrics = found.metrics
        score = (logs or {})["loss"] if found.score is None else found.score
        self.scores.append(self._agreed(score))
        if not self.best or self.best_round == len(self.scores):
            self.best = judged

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Stop if the last rounds brought nothing."""
        self.model.stop_training = self.is_over

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Keep the best weights."""
        self.model.exchange(self.best)


class Rounds(keras.callbacks.Callback):
    """Records each round, and reports it.

    Args:
      rows: of a round.
      batches: of an epoch.
      keep: the callback that has judged the round before this one.

    Attributes:
      records: the rounds.
      seconds_before: what the rounds took that an earlier process trained.
    """

    def __init__(self, rows: int, batches: int, keep: KeepBest) -> None:
        super().__init__()
        self._rows = rows
        self._batches = batches
        self._keep = keep
        self._started = time.monotonic()
        self.records: list[Round] = []
        self.seconds_before = 0.0

    @property
    def seconds(self) -> float:
        """How long training has taken."""
        return self.seconds_before + time.monotonic() - self._started

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Record and report the round."""
        logs, steps = logs or {}, self.model.steps
        self.records.append(
            Round(
                round=epoch + 1,
                epoch=steps / self._batches,
                step=steps,
                loss=logs["loss"],
                eval_loss=logs["val_loss"],
                metrics=self._keep.metrics,
                learning_rate=float(self.model.optimizer.learning_rate),
                seconds=self.seconds,
            )
        )
        progress.rows("train", self._rows)
        progress.metrics("train", epoch=epoch + 1, loss=logs["loss"], eval_loss=logs["val_loss"])
