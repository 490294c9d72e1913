"""The exported model as a function of raw rows.

What is scored are raw rows, by the graph that is served. So what is explained is what is served.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from components.evaluate.signature import LoadedSignature
from components.explain.rows import RawColumns
from components.export import signatures as names
from schemas.columns import Column

_CALL_ROWS = 4_096  # rows that are scored at once


class RowScorer:
    """The exported model: raw rows in, scores out.

    Args:
      saved_model: its folder.
      columns: of the examples.

    Attributes:
      columns: the raw columns that it takes, the label's own among them.

    Raises:
      ModelError: it does not load, or lacks the signature.
    """

    def __init__(self, saved_model: str, columns: Iterable[Column]) -> None:
        self._call = LoadedSignature(saved_model, names.EVALUATION, (names.SCORES, names.LABEL))
        by_name = {each.name: each for each in columns}
        self.columns = tuple(by_name[name] for name in self._call.inputs)

    def __call__(self, raw: RawColumns) -> tuple[np.ndarray, np.ndarray]:
        """Return the scores, [rows] or [rows, classes], and the labels, [rows]."""
        answer = self._call(raw)
        return answer[names.SCORES], answer[names.LABEL]

    def changed(self, raw: RawColumns, changes: Sequence[RawColumns]) -> Iterator[np.ndarray]:
        """Yield, for each change, the scores of all rows with some columns replaced.

        Args:
          raw: columns of the rows.
          changes: the columns that are replaced, of the same shapes.
        """
        rows = len(next(iter(raw.values())))
        at_once = max(1, _CALL_ROWS // rows)
        for start in range(0, len(changes), at_once):
            some = changes[start : start + at_once]
            stacked = {
                name: np.concatenate([change.get(name, values) for change in some])
                for name, values in raw.items()
            }
            scores, _ = self(stacked)
            yield from np.split(scores, len(some))
