"""What the module of a split has to have: a class `Splitter`.

`open_splitter` finds it by the kind's name.
"""

from __future__ import annotations

import importlib
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from schemas.splits.options import SplitOptions


class Splitter(Protocol):
    """Says which split each row goes to; travels to workers."""

    def __init__(self, options: Any) -> None: ...

    def assign(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return each row's split as an index into `SPLITS`, shape [rows].

        Args:
          batch: rows of examples, the options' `columns` among theirs.
        """
        ...


def module_of(kind: str) -> str:
    """Return the name of the module that does a kind of split, such as "hash"."""
    return f"{__package__}.{kind}"


def open_splitter(options: SplitOptions) -> Splitter:
    """Return what does a split; imports the file of its kind alone."""
    splitter: Splitter = importlib.import_module(module_of(options.by)).Splitter(options)
    return splitter
