"""Which rows with equal keys are kept, row by row: slow, and as a person would do it."""

from typing import Any


def kept_by_a_naive_fold(tables: Any, key: Any, keep: Any) -> list[Any]:
    """Return the rows that `drop_duplicates` keeps of tables of rows, in any order."""
    best: dict[Any, Any] = {}
    loose = []
    for part, rows in enumerate(tables):
        for place, row in enumerate(rows):
            value = tuple(row[name] for name in key)
            if None in value:
                loose.append(row)
                continue
            rank: Any = (part, place)
            if keep != "first":
                ((which, column),) = keep.items()
                sign = -1 if which == "last" else 1
                number = row[column]
                rank = (number is None, sign * (number or 0), sign * part, sign * place)
            if value not in best or rank < best[value][0]:
                best[value] = (rank, row)
    return loose + [row for _, row in best.values()]
