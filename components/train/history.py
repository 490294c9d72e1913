"""What happened in each round of training, as written to history.json beside the model.

A number that is not finite, such as the loss of a training that diverged, is null in the file.
"""

from __future__ import annotations

import json
import math
import os
from typing import Annotated, Any

from pydantic import BeforeValidator

from components import files
from schemas.strict import Strict

HISTORY_FILE = "history.json"

_Loss = Annotated[float, BeforeValidator(lambda value: math.nan if value is None else value)]


class Round(Strict):
    """One round of training: an epoch, or 512 steps of a longer one.

    Attributes:
      round: its number, from 1.
      epoch: how often the training rows were seen until its end.
      step: steps of the optimizers until its end.
      loss: what training minimizes, on the training rows of the round.
      eval_loss: the head's loss on the eval split, of the weights that may be kept.
      metrics: of the same weights on the eval split, by name; None if undefined.
      learning_rate: of the deep part, after the last step.
      seconds: since training started, without the time between a kill and going on.
    """

    round: int
    epoch: float
    step: int
    loss: _Loss
    eval_loss: _Loss
    metrics: dict[str, float | None]
    learning_rate: float
    seconds: float


class FitHistory(Strict):
    """The rounds of one model.

    Attributes:
      fold: whose rows the model did not learn from; None of a model of all rows.
      kept: the number of the round whose weights were kept.
      rounds: in their order.
    """

    fold: int | None
    kept: int
    rounds: tuple[Round, ...]


class History(Strict):
    """The rounds of all models of a training.

    Attributes:
      stop_by: "loss", or the metric that decided instead.
      folds: one entry a fold; a single one without folds.
    """

    stop_by: str
    folds: tuple[FitHistory, ...]

    def write(self, folder: str) -> None:
        """Write history.json into a folder."""
        values = _finite(self.model_dump())
        files.write_whole(os.path.join(folder, HISTORY_FILE), json.dumps(values, indent=1))

    @classmethod
    def read(cls, folder: str) -> History | None:
        """Return the history of a trained model; None if its folder has none."""
        path = os.path.join(folder, HISTORY_FILE)
        return cls.model_validate_json(files.read_bytes(path)) if files.is_file(path) else None


def _finite(value: Any) -> Any:
    """Return a value of JSON with null for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
