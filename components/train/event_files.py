"""The history of a training as TensorBoard reads it: scalars by step, in files of events.

TensorBoard, which has `tf.summary.scalar`, need not be installed.
"""

from __future__ import annotations

import os
from typing import Any

import keras
import tensorflow as tf
from tensorflow.core.framework import summary_pb2

from components.train.history import Round
from components.train.rounds import Rounds

FOLDER = "tensorboard"

_SCALAR = tf.compat.v1.SummaryMetadata(
    plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"),
    data_class=summary_pb2.DATA_CLASS_SCALAR,
)


class EventFiles(keras.callbacks.Callback):
    """Writes each round when it ends: train/ has loss and learning rate, eval/ loss and metrics.

    TensorBoard shows scalars of one name in one chart, so both losses are in the same.

    Args:
      folder: gets the folders `train` and `eval`.
      rounds: records the rounds; it has processed the round before this one.
    """

    def __init__(self, folder: str, rounds: Rounds) -> None:
        super().__init__()
        self._folder = folder
        self._rounds = rounds
        self._writers: dict[str, Any] = {}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Open the files, and write the rounds that a checkpoint had."""
        for name in ("train", "eval"):
            path = os.path.join(self._folder, name)
            self._writers[name] = tf.summary.create_file_writer(path)
        for each in self._rounds.records:
            self._write(each)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the round."""
        self._write(self._rounds.records[-1])

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()

    def _write(self, each: Round) -> None:
        values: dict[str, dict[str, float | None]] = {
            "train": {"loss": each.loss, "learning_rate": each.learning_rate},
            "eval": {"loss": each.eval_loss, **each.metrics},
        }
        for name, scalars in values.items():
            with self._writers[name].as_default(step=each.step):
                for tag, value in scalars.items():
                    if value is not None:
                        tf.summary.write(tag, tf.constant(value, tf.float32), metadata=_SCALAR)
            self._writers[name].flush()
