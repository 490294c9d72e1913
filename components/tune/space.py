"""The options of the model that a trial chooses, and from which values.

The ranges are around what is chosen by the number of rows otherwise, so that most trials train at a
reasonable rate. Names are those of pipeline.yaml below `model`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from components.train.sizes import batch_rows, learning_rate
from schemas.model import Model

if TYPE_CHECKING:
    from optuna import Trial

_SMALL, _LARGE = 20_000, 200_000  # training rows
_LAYERS = {"64, 32": (64, 32), "128, 64": (128, 64), "256, 128": (256, 128), "128": (128,)}
_LARGE_LAYERS = {"512, 256": (512, 256), "256, 128, 64": (256, 128, 64)}


def suggest(trial: Trial, base: Model, rows: int) -> Model:
    """Return the model of a trial: that of pipeline.yaml with other values of some options.

    Args:
      trial: the trial.
      base: the model of pipeline.yaml.
      rows: of the training split.
    """
    layers = _LAYERS | (_LARGE_LAYERS if rows >= _SMALL else {})
    rate = base.deep.learning_rate or learning_rate(rows)
    batch = base.batch_size or batch_rows(rows)
    members = [1, 4, 8, 16] if rows < _LARGE else [1, 4, 8]
    chosen: dict[str, Any] = {
        "members": trial.suggest_categorical("members", members),
        "hidden_units": layers[trial.suggest_categorical("hidden_units", list(layers))],
        "embedding_dim": trial.suggest_categorical("embedding_dim", [4, 8, 16]),
        "embedding_rate": trial.suggest_float("embedding_rate", 0.03, 1, log=True),
        "cross_rank": trial.suggest_categorical("cross_rank", [0, 16, 32, 64]),
        "dropout": trial.suggest_float("dropout", 0, 0.4, step=0.05),
        "batch_size": max(1, int(batch * trial.suggest_categorical("batch_size", [0.5, 1, 2, 4]))),
        "deep": base.deep.model_dump()
        | {
            "learning_rate": trial.suggest_float(
                "deep.learning_rate", rate / 5, rate * 3, log=True
            ),
            "weight_decay": trial.suggest_float("deep.weight_decay", 0.01, 1, log=True),
        },
        "wide": base.wide.model_dump()
        | {"learning_rate": trial.suggest_float("wide.learning_rate", 0.01, 0.5, log=True)},
    }
    return Model.model_validate(base.model_dump() | chosen)
