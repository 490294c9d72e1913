"""What ingest reads from a source: the columns of the examples, and what each row needs."""

from __future__ import annotations

from collections.abc import Sequence

from components.sources.protocol import Needs, Selection
from schemas.columns import Column
from schemas.splits.options import SplitOptions
from schemas.tasks.options import TaskOptions


def selection_of(columns: Sequence[Column], label: TaskOptions, splits: SplitOptions) -> Selection:
    """Return what to read for examples with these columns."""
    return Selection(tuple(columns), Needs(label.columns, splits.needed, label.weight))
