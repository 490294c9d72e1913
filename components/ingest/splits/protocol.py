"""The interface of a split's module: a class `Splitter`.

`open_splitter` imports it by the kind's name.
"""

from __future__ import annotations

import importlib
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from schemas.splits.options import SplitOptions


class Splitter(Protocol):
    """Assigns rows to splits; is sent to workers."""

    def __init__(self, options: Any) -> None: ...

    def assign(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return each row's split as an index into `SPLITS`, shape [rows].

        Args:
          batch: rows of examples, including the options' `columns`.
        """
        ...


def module_of(kind: str) -> str:
    """Return the name of the module that implements a kind of split, such as "hash"."""
    return f"{__package__}.{kind}"


def open_splitter(options: SplitOptions) -> Splitter:
    """Return the splitter for the options; imports only the file of its kind."""
    splitter: Splitter = importlib.import_module(module_of(options.by)).Splitter(options)
    return splitter
