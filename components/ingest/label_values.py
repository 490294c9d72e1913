"""Checks that the label's values occur among the examples.

If the label's values are spelled differently from the column's, the label is 0 in every row. The
error shows the column's values, before anything is computed or trained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from components.examples import iter_batches
from schemas.columns import SPACES
from schemas.errors import DataError, did_you_mean
from schemas.splits.options import SPLITS
from schemas.tasks.options import ClassesOf, TaskOptions

_SHOWN = 10
_COMPARED = 1_000  # values among which the nearest one is searched
_LONGEST = 60


def check_label(examples: str, label: TaskOptions, *, where: str) -> None:
    """Check that the values of the label's column are those that the task needs.

    A label made from values has one of them in some row: its column is read up to the first such
    row, in most tables one batch. Classes that are values of a column are read in all splits.

    Args:
      examples: the folder of examples.
      label: the definition of the label.
      where: the source, for the error.

    Raises:
      DataError: the label is 1 in no row, or a row has a class that training does not have; shows
        the values.
    """
    if label.sought is not None:
        _check_sought(examples, label.name, *label.sought, where)
    if label.classes_of is not None:
        _check_classes(examples, label.name, label.classes_of, where)


def _check_sought(
    examples: str, label: str, column: str, expected: Sequence[str], where: str
) -> None:
    seen: Counter[str] = Counter()
    for split in SPLITS:
        for counts in _counts(examples, split, column):
            if not counts.keys().isdisjoint(expected):
                return
            seen.update(counts)
    raise _error(label, column, expected, seen, where)


def _check_classes(examples: str, label: str, classes: ClassesOf, where: str) -> None:
    known: set[str] | None = None if classes.listed is None else set(classes.listed)
    for split in SPLITS:
        seen: Counter[str] = Counter()
        for counts in _counts(examples, split, classes.column):
            seen.update(counts)
            if len(seen) > classes.most:
                raise DataError(
                    f"the label {label!r} has more than {classes.most:,} classes: the column"
                    f" {classes.column!r} has more values",
                    where=where,
                    remedy=classes.otherwise,
                )
        if known is None:  # the first split is train
            known = set(seen)
            _refuse_line_breaks(label, known, where)
            _require_named(label, classes.named, known, where)
        if unknown := {value: rows for value, rows in seen.items() if value not in known}:
            raise DataError(
                f"the label {label!r} has classes in the {split} split that"
                f" {'training has not' if classes.listed is None else 'label.classes has not'}:"
                f" {_shown(Counter(unknown))}",
                where=where,
                expected=f"the classes {', '.join(map(_cut, sorted(known)[:_SHOWN]))}"
                + (", …" if len(known) > _SHOWN else ""),
                remedy="give more rows of them, leave their rows out, or list all classes in"
                " label.classes of the task multiclass",
            )


def _require_named(label: str, named: Sequence[str], known: Collection[str], where: str) -> None:
    for name in named:
        if name not in known:
            raise DataError(
                f"label.class_weights has {_cut(name)}, which no training row of the label"
                f" {label!r} is; {did_you_mean(name, known)}",
                where=where,
                expected="weights of classes as the column has them",
                remedy="correct the name, or leave it out: other classes weigh 1",
            )


def _refuse_line_breaks(label: str, classes: Collection[str], where: str) -> None:
    for name in classes:
        if "\n" in name or "\r" in name:
            raise DataError(
                f"the label {label!r} has the class {_cut(name)}, which has a line break",
                where=where,
                expected="classes on one line each, as a vocabulary file has them",
                remedy="list the classes in label.classes, or rename it in the data",
            )


def _counts(examples: str, split: str, column: str) -> Iterator[Counter[str]]:
    """Yield how often each value occurs, batch by batch."""
    for batch in iter_batches(examples, split, [column]):
        counts = pc.value_counts(batch.column(0).cast(pa.string()))
        values, times = counts.field("values").to_pylist(), counts.field("counts").to_pylist()
        yield Counter(dict(zip(values, times, strict=True)))


def _shown(seen: Counter[str]) -> str:
    shown = ", ".join(
        f"{_cut(value)} in {times:,} row{'s' * (times != 1)}"
        for value, times in seen.most_common(_SHOWN)
    )
    return shown + (f", and {len(seen) - _SHOWN:,} more" if len(seen) > _SHOWN else "")


def _error(
    name: str, column: str, label_values: Sequence[str], seen: Counter[str], where: str
) -> DataError:
    common = seen.most_common(_COMPARED)
    hints = [(value, did_you_mean(value, [v for v, _ in common])) for value in label_values]
    near = [f"for {v!r}, {hint}" for v, hint in hints if hint.startswith("did you mean")]
    shown_values = ", ".join(map(repr, label_values))
    spaced = {value.strip(SPACES) for value in seen}
    return DataError(
        f"the label {name!r} is 0 in every row: the column {column!r} is never {shown_values}"
        + "".join(f"; {hint}" for hint in near),
        where=where,
        expected=f"one of the values that the column has: {_shown(seen)}",
        remedy="set source.trim: true in pipeline.yaml, which drops spaces around values"
        if not spaced.isdisjoint(label_values)
        else "write the value in `label` as the column has it, or add rows that have one",
    )


def _cut(value: str) -> str:
    return repr(value if len(value) <= _LONGEST else value[:_LONGEST] + "…")
