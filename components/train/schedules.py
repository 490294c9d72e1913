"""Learning rates of the deep part that change with the step, or with the rounds."""

from __future__ import annotations

import math
from typing import Any

import keras

from components.train.rounds import KeepBest
from components.train.sizes import learning_rate
from schemas.model import AdamW

_FIRST_STEP = 0.01  # of the learning rate while it rises
_RISE = 0.3  # of the steps of one cycle
_CYCLE_START = 1 / 25  # of the learning rate
_CYCLE_END = 1e-4
_FACTOR, _PATIENCE = 0.5, 2  # of a plateau


def rate_of(options: AdamW, rows: int, steps: int) -> Any:
    """Return the learning rate: a number or a Keras schedule.

    Args:
      options: the learning rate follows from the number of training rows unless given.
      rows: of the training split.
      steps: that training has at most.
    """
    rate, schedules = options.learning_rate or learning_rate(rows), keras.optimizers.schedules
    if options.schedule == "one_cycle":
        rise = max(1, round(steps * _RISE))
        return schedules.CosineDecay(
            rate * _CYCLE_START,
            max(1, steps - rise),
            alpha=_CYCLE_END,
            warmup_target=rate,
            warmup_steps=rise,
        )
    if options.schedule == "cosine":
        fall = max(1, steps - options.warm_up)
        if not options.warm_up:
            return schedules.CosineDecay(rate, fall)
        return schedules.CosineDecay(
            rate * _FIRST_STEP, fall, warmup_target=rate, warmup_steps=options.warm_up
        )
    risen = rate
    if options.warm_up:
        risen = schedules.PolynomialDecay(rate * _FIRST_STEP, options.warm_up, rate)
    return Plateau(risen) if options.schedule == "plateau" else risen


class Plateau(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate times a factor that falls while training runs.

    Args:
      rate: a number or a schedule.

    Attributes:
      factor: a variable.
    """

    def __init__(self, rate: Any) -> None:
        self._rate = rate
        self.factor = keras.Variable(1.0, trainable=False, name="plateau")

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step."""
        rate = self._rate(step) if callable(self._rate) else self._rate
        return rate * self.factor

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild it."""
        return {"rate": self._rate}


class ReduceOnPlateau(keras.callbacks.Callback):
    """Halves the learning rate after each two rounds in a row without a better score.

    Args:
      plateau: the learning rate.
      keep: has the scores of the rounds.
    """

    def __init__(self, plateau: Plateau, keep: KeepBest) -> None:
        super().__init__()
        self._plateau = plateau
        self._keep = keep

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Reduce the rate as often as the rounds before a checkpoint did."""
        self._reduce()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Reduce the rate if the last rounds brought nothing."""
        self._reduce()

    def _reduce(self) -> None:
        best, since, reductions = math.inf, 0, 0
        for score in self._keep.scores:
            best, since = (score, 0) if score < best else (best, since + 1)
            reductions += since > 0 and since % _PATIENCE == 0
        self._plateau.factor.assign(_FACTOR**reductions)
