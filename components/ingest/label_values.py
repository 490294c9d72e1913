"""Examples → whether the label's values occur among them at all.

A label whose values are not written as the column has them is 0 in every row. That is said here,
with the values that are there, before anything is measured or learnt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from components.examples import iter_batches
from schemas.columns import SPACES
from schemas.errors import DataError, did_you_mean
from schemas.splits.options import SPLITS
from schemas.tasks.options import TaskOptions

_SHOWN = 10
_COMPARED = 1_000  # values among which the nearest one is looked for
_LONGEST = 60


def check_label(examples: str, label: TaskOptions, *, where: str) -> None:
    """Check that a label made from values has one of them in some row.

    Reads the label's column up to the first such row, in most tables one batch.

    Args:
      examples: the folder of examples.
      label: how the label is made.
      where: the source, for the error.

    Raises:
      DataError: it is 1 in none; shows the values that there are, how often, and the nearest.
    """
    if label.sought is None:
        return
    name, wanted = label.sought
    seen: Counter[str] = Counter()
    for split in SPLITS:
        for batch in iter_batches(examples, split, [name]):
            counts = pc.value_counts(batch.column(0).cast(pa.string()))
            values, times = counts.field("values").to_pylist(), counts.field("counts").to_pylist()
            if not set(wanted).isdisjoint(values):
                return
            seen.update(dict(zip(values, times, strict=True)))
    raise _error(label.name, name, wanted, seen, where)


def _error(
    name: str, column: str, wanted: Sequence[str], seen: Counter[str], where: str
) -> DataError:
    common = seen.most_common(_COMPARED)
    shown = ", ".join(
        f"{_cut(value)} in {times:,} row{'s' * (times != 1)}" for value, times in common[:_SHOWN]
    )
    more = f", and {len(seen) - _SHOWN:,} more" if len(seen) > _SHOWN else ""
    hints = [(value, did_you_mean(value, [v for v, _ in common])) for value in wanted]
    near = [f"for {v!r}, {hint}" for v, hint in hints if hint.startswith("did you mean")]
    asked = ", ".join(map(repr, wanted))
    spaced = {value.strip(SPACES) for value in seen}
    return DataError(
        f"the label {name!r} is 0 in every row: the column {column!r} is never {asked}"
        + "".join(f"; {hint}" for hint in near),
        where=where,
        expected=f"one of the values that the column has: {shown}{more}",
        remedy="set source.trim: true in pipeline.yaml, which drops spaces around values"
        if not spaced.isdisjoint(wanted)
        else "write label.equals.values as the column has them, or add rows that have one",
    )


def _cut(value: str) -> str:
    return repr(value if len(value) <= _LONGEST else value[:_LONGEST] + "…")
