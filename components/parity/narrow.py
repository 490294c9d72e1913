"""From a row with many changes that differs to the change, or the two changes, that make it differ.

The functions take the results of a first round. They return the rows to ask about next, each with
one or two of the changes, and the proof in which these rows replace the ones that they were taken
from. No further rows are needed if a real row, or one with a single change, already shows a
difference.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from components.parity.changes import Change, ChangedRow, changed_row
from components.parity.judge import Judged, differences_of, proof_of
from components.parity.proof import Proof
from components.parity.rows import Rows, rows_of
from schemas.columns import Column

# No further rows are split up once there are so many to ask about.
_MOST_ROWS = 1_500
# If there are more candidate pairs of changes, none is tried.
_MOST_PAIRS = 300
# So many rows are split up for an output of a question: there may be several faults.
_TAKEN_APART = 2


def narrower(first: Sequence[Judged], rows: Rows, columns: Sequence[Column]) -> Rows | None:
    """Return the rows to ask about next; None where there are none.

    Args:
      first: the results of the first round.
      rows: the rows of the first round.
      columns: all columns of the rows.
    """
    asked = {row.name for row in rows.changed if len(row.changes) < 3}
    narrowed: dict[str, ChangedRow] = {}
    for part in itertools.chain.from_iterable(_parts(judged, rows) for judged in first):
        if len(narrowed) >= _MOST_ROWS:
            break
        if part.name not in asked and (part.leaves_out or part.name not in narrowed):
            narrowed[part.name] = part
    together = sorted(narrowed.values(), key=lambda row: row.leaves_out)
    return rows_of(rows.bases, columns, together) if together else None


def merged(
    first: Sequence[Judged],
    rows: Rows,
    again: Sequence[Judged],
    narrow_rows: Rows,
    rounding: float,
) -> Proof:
    """Return the proof, with the narrower rows in place of those that they were taken from.

    Args:
      first: the results of `rows`.
      rows: the rows of the first round.
      again: the results of `narrow_rows`.
      narrow_rows: from `narrower`.
      rounding: of the reference.
    """
    again = [judged for judged in again if judged.question]
    several = {(_kind(j), output) for j in first for output in _only_in_several(j, rows)}
    shown = {(_kind(j), output) for j in again for output in j.differing} & several
    failed = {(_kind(j), name) for j in again if j.failure for name in j.left_out}
    more = [_less(j, [o for o in j.differing if (_kind(j), o) not in shown]) for j in again]
    more = [_simplest(j if j.left_out else replace(j, failure=None), narrow_rows) for j in more]
    left = [_less(j, [o for o in j.differing if (_kind(j), o) in shown]) for j in first]
    left = [
        replace(j, failure=None) if any((_kind(j), name) in failed for name in j.left_out) else j
        for j in left
    ]
    return proof_of(first, rows, rounding).model_copy(
        update={
            "failures": tuple(j.failure for j in [*more, *left] if j.failure),
            "differences": differences_of(more, narrow_rows) + differences_of(left, rows),
        }
    )


def _kind(judged: Judged) -> tuple[str, str]:
    """Return serving path and question; questions that leave out columns are of one kind."""
    question = judged.question
    if question is None:
        return judged.serving_path.name, ""
    left_out = f"{question.signature} without columns"
    return judged.serving_path.name, left_out if question.leaves_out else question.name


def _less(judged: Judged, outputs: Sequence[str]) -> Judged:
    """Return the result without the differences of these outputs."""
    return replace(judged, worst=tuple(w for w in judged.worst if w.output not in set(outputs)))


def _simplest(judged: Judged, rows: Rows) -> Judged:
    """Return the result with only the rows that have the fewest changes.

    Rows with two changes add nothing to those with one.
    """
    if judged.question is None or not judged.worst:
        return judged
    changes = rows.changes[judged.question.rows]
    fewest: dict[str, int] = {}
    for worst in judged.worst:
        fewest[worst.output] = min(fewest.get(worst.output, 2), int(changes[worst.row]))
    kept = tuple(w for w in judged.worst if changes[w.row] <= fewest[w.output])
    return replace(judged, worst=kept)


def _only_in_several(judged: Judged, rows: Rows) -> dict[str, np.ndarray]:
    """Return the outputs that differ only in rows with several changes, and where."""
    if judged.question is None:
        return {}
    several = rows.changes[judged.question.rows] > 1
    return {
        output: differing
        for output, differing in judged.differing.items()
        if not (differing & ~several).any()
    }


def _parts(judged: Judged, rows: Rows) -> Iterator[ChangedRow]:
    """Yield rows with one or two of the changes of rows that differ."""
    if judged.question is None:
        return
    at, leaving_out = judged.question.rows, bool(judged.left_out)
    if judged.failure and leaving_out:
        for row in _made_up(rows, np.arange(at.start, at.stop)):
            yield from _single(row, leaving_out=True)
    for differing in _only_in_several(judged, rows).values():
        passed = _made_up(rows, at.start + np.flatnonzero(~differing))
        failed = _made_up(rows, at.start + np.flatnonzero(differing))
        for row in sorted(failed, key=lambda row: len(row.changes))[:_TAKEN_APART]:
            yield from _single(row, leaving_out=leaving_out)
            yield from _pairs(row, passed)


def _made_up(rows: Rows, numbers: np.ndarray) -> list[ChangedRow]:
    return [row for row in map(rows.changed_row, numbers.tolist()) if row]


def _single(row: ChangedRow, *, leaving_out: bool) -> Iterator[ChangedRow]:
    for change in row.changes if len(row.changes) > 1 else ():
        leaves_out = tuple(change.values) if leaving_out else ()
        yield changed_row(row.base, change, leaves_out=leaves_out)


def _pairs(row: ChangedRow, passed: Iterable[ChangedRow]) -> Iterator[ChangedRow]:
    """Yield rows with two of a row's changes that are not together in any correct row.

    Rows in which half of the columns are missing leave almost no pair except the culprits.
    """
    if len(row.changes) < 3:
        return
    place = {_key(change): number for number, change in enumerate(row.changes)}
    together = np.eye(len(place), dtype=bool)
    for other in passed:
        if other.base == row.base and len(other.changes) > 1:
            present = [place[key] for key in map(_key, other.changes) if key in place]
            together[np.ix_(present, present)] = True
    candidates = np.argwhere(np.triu(~together))
    if len(candidates) <= _MOST_PAIRS:
        for one, two in candidates.tolist():
            yield changed_row(row.base, row.changes[one], row.changes[two])


def _key(change: Change) -> tuple[tuple[str, str], ...]:
    """Return a key that differs between changes: NaN is not equal to itself, and -0.0 is to 0.0."""
    return tuple((name, repr(value)) for name, value in change.values.items())
