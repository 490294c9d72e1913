"""Checkpoints: the whole state of a training in one file, from which a killed run goes on.

A checkpoint is written at the end of a round. A training that goes on from it takes the same steps,
and ends with the same model to the bit, as one that was never killed.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from components import files, progress
from components.train.history import Round
from components.train.rounds import KeepBest, Rounds
from components.train.two_optimizers import TwoOptimizers
from schemas.model import Checkpoints

_SUFFIX = ".npz"


@dataclass(frozen=True)
class CheckpointFile:
    """Where the state of one training is kept.

    Attributes:
      path: of the file, in a folder or in a store. Its name has a digest of all that the training
        depends on, so that no other training goes on from it.
    """

    path: str

    @classmethod
    def of(cls, folder: str, digest: str) -> CheckpointFile:
        """Return the file of a training in a folder, and remove those of other trainings."""
        for name in files.names(folder):
            if not name.startswith(digest):
                files.remove(f"{folder}/{name}")
        return cls(f"{folder}/{digest}{_SUFFIX}")

    def of_fold(self, fold: int) -> CheckpointFile:
        """Return the file of the model of one fold."""
        return CheckpointFile(self.path.removesuffix(_SUFFIX) + f"-{fold}{_SUFFIX}")

    def write(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Replace the checkpoint by another one, atomically."""
        with files.whole(self.path) as partial, open(partial, "wb") as file:
            np.savez(file, **arrays)

    def read(self) -> dict[str, np.ndarray] | None:
        """Return the checkpoint; None if there is none, or none that is complete."""
        if not files.is_file(self.path):
            return None
        try:
            with np.load(io.BytesIO(files.read_bytes(self.path)), allow_pickle=False) as arrays:
                return dict(arrays)
        except (zipfile.BadZipFile, EOFError, ValueError):
            progress.remark("train", "the checkpoint is damaged; training starts again")
            return None


class SaveState(keras.callbacks.Callback):
    """Writes a checkpoint at the end of a round, when one is due, and when training stops.

    Args:
      file: where to.
      options: when one is due.
      keep: the callback that keeps the best weights; it has processed the round before this one.
      rounds: the callback that records the rounds; the same.
    """

    def __init__(
        self, file: CheckpointFile, options: Checkpoints, keep: KeepBest, rounds: Rounds
    ) -> None:
        super().__init__()
        self._file = file
        self._options = options
        self._keep = keep
        self._rounds = rounds
        self._saved = time.monotonic()
        self._saved_steps = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write a checkpoint if it is due."""
        if self.model.stop_training or self._is_due():
            self._file.write(_state(self.model, self._keep, self._rounds))
            self._saved, self._saved_steps = time.monotonic(), self.model.steps

    def _is_due(self) -> bool:
        minutes, steps = self._options.minutes, self._options.steps
        if minutes is not None and time.monotonic() - self._saved >= 60 * minutes:
            return True
        return steps is not None and self.model.steps - self._saved_steps >= steps


def restore(file: CheckpointFile, model: TwoOptimizers, keep: KeepBest, rounds: Rounds) -> bool:
    """Set the state of a compiled model and its callbacks; return whether there was one."""
    arrays = file.read()
    if arrays is None:
        return False
    for variable, value in zip(model.state, _part(arrays, "state"), strict=True):
        variable.assign(value)
    keep.scores, keep.best = arrays["scores"].tolist(), _part(arrays, "best")
    rounds.records = [Round.model_validate(each) for each in json.loads(arrays["rounds"].item())]
    rounds.seconds_before = float(arrays["seconds"])
    progress.remark(
        "train", f"training goes on after round {len(rounds.records)}, step {model.steps:,}"
    )
    return True


def _state(model: TwoOptimizers, keep: KeepBest, rounds: Rounds) -> dict[str, np.ndarray]:
    return {
        **_numbered("state", [np.asarray(v) for v in model.state]),
        **_numbered("best", keep.best),
        "scores": np.array(keep.scores),
        "rounds": np.array(json.dumps([each.model_dump() for each in rounds.records])),
        "seconds": np.array(rounds.seconds),
    }


def _numbered(name: str, arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{name}_{i}": array for i, array in enumerate(arrays)}


def _part(arrays: Mapping[str, np.ndarray], name: str) -> list[np.ndarray]:
    """Return the arrays of `_numbered`."""
    count = sum(key.startswith(f"{name}_") for key in arrays)
    return [arrays[f"{name}_{i}"] for i in range(count)]
