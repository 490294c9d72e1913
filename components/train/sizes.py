"""Sizes of training that follow from the number of training rows.

Measured on tables of 3,000 to 200,000 rows: a small table needs many small steps, and a rate that
makes them count.
"""

from __future__ import annotations

import math

_LEAST, _MOST = 32, 512  # rows of a batch
_STEPS = 64  # of an epoch, where the bounds of a batch allow it
_FEW_ROWS = 20_000
_ROUND_STEPS = 512  # at most; the eval loss of averaged weights changes little in fewer


def batch_rows(rows: int) -> int:
    """Return the rows of a batch: a power of two near a 64th of all.

    >>> batch_rows(500), batch_rows(10_000), batch_rows(1_000_000)
    (32, 128, 512)
    """
    return int(min(_MOST, max(_LEAST, 2 ** round(math.log2(max(rows, 1) / _STEPS)))))


def learning_rate(rows: int) -> float:
    """Return AdamW's learning rate."""
    return 6e-3 if rows < _FEW_ROWS else 3e-3


def round_steps(batches: int) -> int:
    """Return the steps of a round, after which the eval split is looked at.

    A round is an epoch, or less where an epoch has many steps: a large table is learnt in few
    epochs, and each further one costs much.
    """
    return min(batches, _ROUND_STEPS)


def embedding_width(ids: int) -> int:
    """Return the length of the embeddings of a feature with so many ids.

    It is the power of two nearest to 1.6 * ids ** 0.56, the rule of fastai, from 4 to 64: features
    of about equal lengths share a table.

    >>> embedding_width(3), embedding_width(50), embedding_width(1_000_000)
    (4, 16, 64)
    """
    return int(min(64, max(4, 2 ** round(math.log2(1.6 * ids**0.56)))))
