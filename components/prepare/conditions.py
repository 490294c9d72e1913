"""The conditions of `prepare.where`, computed by DuckDB."""

from __future__ import annotations

from collections.abc import Sequence

from components.expressions.rows import RowExpressions
from schemas.columns import Column
from schemas.expressions import parse
from schemas.expressions.value_types import BOOLEAN
from schemas.prepare import Prepare

_WHERE = "pipeline.yaml"


def conditions_of(prepare: Prepare, columns: Sequence[Column]) -> RowExpressions:
    """Return the conditions over rows with these columns.

    Raises:
      ConfigError: an expression is wrong.
    """
    parsed = {
        rule: parse(text, columns, where=f"{_WHERE}: {rule}", needs=BOOLEAN)
        for rule, text in prepare.conditions.items()
    }
    conditions = RowExpressions(parsed, columns)
    conditions.check(where=_WHERE)
    return conditions
