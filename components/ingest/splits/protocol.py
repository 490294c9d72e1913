"""The interface of a split's module: a class `Splitter`, and `Seen` if it has to look ahead.

`open_splitter` imports it by the kind's name.
"""

from __future__ import annotations

import importlib
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from schemas.splits.options import SplitOptions

DROPPED = -1


class Splitter(Protocol):
    """Assigns rows to splits; is sent to workers.

    Attributes:
      DROPS: the rule in pipeline.yaml that keeps rows out of all splits, if there is one.
    """

    DROPS: str = ""

    def __init__(self, options: Any) -> None: ...

    def assign(self, batch: pa.RecordBatch, path: str) -> np.ndarray:
        """Return each row's split as an index into `SPLITS`, shape [rows]; or `DROPPED`.

        Args:
          batch: rows of examples, including the options' `columns`.
          path: the file that they are from.
        """
        ...

    def folds(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return the fold of each training row, int64 [rows], from 0 to the options' `folds` - 1.

        Args:
          batch: rows of the training split, with the options' `columns`.
        """
        raise NotImplementedError(f"{type(self).__module__} has no folds")

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The columns of all rows that it has to see before it can assign any; mostly none."""
        return ()

    def informed(self, seen: Any) -> Splitter:
        """Return a splitter that has seen them: a value of the module's `Seen`."""
        return self


def module_of(kind: str) -> str:
    """Return the name of the module that implements a kind of split, such as "hash"."""
    return f"{__package__}.{kind}"


def open_splitter(options: SplitOptions) -> Splitter:
    """Return the splitter for the options; imports only the file of its kind."""
    splitter: Splitter = importlib.import_module(module_of(options.by)).Splitter(options)
    return splitter


def seen_by(options: SplitOptions) -> Any:
    """Return the class of what the kind has to see.

    Its `of` takes a batch and the options, its `add` several of its values.
    """
    return importlib.import_module(module_of(options.by)).Seen
