"""Counts per column of requests: missing, out of vocabulary, and outside of the domain.

The counts come from a signature's input arrays and the model's description. They contain no values.
Bytes that are not a tf.Example are not counted. TensorFlow is not imported.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from components import list_matrices
from components.example_proto import Values, features_of
from components.serve.messages import Arrays
from schemas.description import Description, Input

MOST_ROWS = 1_000  # the first rows of a request that are counted
_ABSENT = Values("", ())


class ColumnCounts(NamedTuple):
    """Counts of one column's values in a request.

    Attributes:
      rows: rows that were counted.
      missing: rows without a value.
      unknown: values that are not in the vocabulary; None if the column has none.
      outside: values outside of the schema's domain; None if the column has none.
    """

    rows: int
    missing: int
    unknown: int | None
    outside: int | None


class Columns:
    """The columns of one version of a model.

    Args:
      description: the description of that version.
    """

    def __init__(self, description: Description) -> None:
        self._columns = {column.name: _Column(column) for column in description.inputs}
        self._of_examples = {
            signature.name
            for signature in description.signatures
            if signature.takes == "serialised tf.Examples"
        }

    def counts(self, signature: str, inputs: Arrays) -> dict[str, ColumnCounts]:
        """Return the counts of each described column that a request has."""
        if signature in self._of_examples:
            (serialised,) = inputs.values()
            return self._counts_of_examples(serialised[:MOST_ROWS])
        return {
            name: self._columns[name].counts(array[:MOST_ROWS])
            for name, array in inputs.items()
            if name in self._columns and array.ndim == 1 + self._columns[name].is_list
        }

    def _counts_of_examples(self, serialised: np.ndarray) -> dict[str, ColumnCounts]:
        columns: dict[str, list[Any]] = {name: [] for name in self._columns}
        for each in serialised.tolist():
            features = features_of(each)
            if features is None:
                continue
            for name, values in columns.items():
                given = features.get(name, _ABSENT)
                values.append(self._columns[name].value_of(given))
        return {name: self._columns[name].counts_of(values) for name, values in columns.items()}


class _Column:
    """A column's vocabulary and domain, as sets."""

    def __init__(self, column: Input) -> None:
        self.is_list = column.most > 0
        self._text = column.type.is_requested_as_text
        self._known = self._lookup(column.known)
        self._domain = self._lookup(column.values)
        self._bounds: tuple[float, float] | None = None
        if column.minimum is not None or column.maximum is not None:
            self._bounds = (
                -np.inf if column.minimum is None else column.minimum,
                np.inf if column.maximum is None else column.maximum,
            )

    def value_of(self, given: Values) -> Any:
        """Return the value of an example's feature, or its list; None if it is missing."""
        if self.is_list:
            return given.values if given.dtype else None
        return given.values[0] if given.values else None

    def counts(self, array: np.ndarray) -> ColumnCounts:
        """Count the values of a dense array, in which "" and NaN mean missing."""
        if self.is_list:
            present = array[list_matrices.known(array)].tolist()
            return self._counts(len(array), present, int(list_matrices.missing(array).sum()))
        if self._text:
            return self._counts(len(array), [value for value in array.tolist() if value])
        present = array[~np.isnan(array)] if array.dtype.kind == "f" else array
        return self._counts(len(array), present.tolist())

    def counts_of(self, values: list[Any]) -> ColumnCounts:
        """Count values, or lists of them; None, "" and NaN mean missing."""
        if self.is_list:
            given = [each for each in values if each is not None]
            return self._counts(len(values), [*chain(*given)], len(values) - len(given))
        # Only NaN differs from itself.
        present = [v for v in values if v is not None and v == v and v != b""]
        return self._counts(len(values), present)

    def _counts(self, rows: int, present: list[Any], missing: int | None = None) -> ColumnCounts:
        unknown = None if self._known is None else sum(v not in self._known for v in present)
        outside = None
        if self._domain is not None:
            outside = sum(v not in self._domain for v in present)
        elif self._bounds is not None:
            low, high = self._bounds
            outside = sum(not low <= float(v) <= high for v in present)
        absent = rows - len(present) if missing is None else missing
        return ColumnCounts(rows, absent, unknown, outside)

    def _lookup(self, terms: tuple[str, ...] | None) -> frozenset[Any] | None:
        """Return terms in the form that requests have: bytes, or numbers that equal them."""
        if terms is None:
            return None
        return frozenset(term.encode() if self._text else float(term) for term in terms)
