"""Rules that a row fulfils or not, whatever other rows there are: `where` and `required`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from components.examples import column
from schemas.columns import Column
from schemas.prepare import Prepare, required_rule

if TYPE_CHECKING:
    from components.expressions.rows import RowExpressions

# Imported by its name, so that only a pipeline with conditions needs DuckDB and depends on it.
CONDITIONS = f"{__package__}.conditions"

KEPT = -1


class RowRules:
    """The rules in the order in which they apply; is sent to workers.

    Attributes:
      names: the names of the rules.
    """

    def __init__(self, prepare: Prepare, columns: Sequence[Column]) -> None:
        self._conditions: RowExpressions | None = None
        if prepare.where:
            self._conditions = importlib.import_module(CONDITIONS).conditions_of(prepare, columns)
        self._required = prepare.required
        self.names = (*prepare.conditions, *map(required_rule, prepare.required))

    def verdicts(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return the number of the rule that drops each row, int64 [rows]; `KEPT` for the others.

        The first rule that drops a row counts. A condition that is null is not true.
        """
        fulfilled = []
        if self._conditions is not None:
            found = self._conditions.values(batch)
            fulfilled += [each.fill_null(False).to_numpy(zero_copy_only=False) for each in found]
        fulfilled += [np.asarray(column(batch, name).is_valid()) for name in self._required]
        verdicts = np.full(batch.num_rows, KEPT)
        for number, each in enumerate(fulfilled):
            verdicts[(verdicts == KEPT) & ~each] = number
        return verdicts
