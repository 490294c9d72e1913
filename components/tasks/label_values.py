"""The values of a label's column in the training split, the most frequent first."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import tensorflow_transform as tft

from components import files

if TYPE_CHECKING:
    import tensorflow as tf

_FILE_NAME = "label_classes"


def analyze(values: tf.Tensor) -> tf.Tensor:
    """Return the path of the vocabulary of texts [rows]."""
    return tft.vocabulary(values, vocab_filename=_FILE_NAME)


def number(values: tf.Tensor, vocabulary: tf.Tensor) -> tf.Tensor:
    """Return the place of each text in the vocabulary, int64, from 0; -1 if it is not there."""
    return tft.apply_vocabulary(values, vocabulary, default_value=-1)


def read(graph: str) -> list[str]:
    """Return the vocabulary from a transform graph's folder."""
    path = os.path.join(graph, "transform_fn", "assets", _FILE_NAME)
    return files.read_bytes(path).decode().removesuffix("\n").split("\n")
