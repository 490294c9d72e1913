"""Checks columns against the names that the first records of a file have."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.errors import DataError

_SHOWN = 30  # names that an error lists


def check_first_names(
    absent: Sequence[str],
    ignored: Sequence[str],
    *,
    read: int,
    records: str,
    name: str,
    where: str,
) -> None:
    """Check that columns are among the names, if these show that they may be written differently.

    A name that none of the first records has may be in a later one, so that is not an error.

    Args:
      absent: the columns that none of the records has.
      ignored: the names that are not columns.
      read: how many columns are read.
      records: what the records are called, such as "objects".
      name: what a name in them is called, such as "key".
      where: the file.

    Raises:
      DataError: a column is written in other letters, or all are absent.
    """
    alike = {other.strip().casefold(): other for other in ignored}
    for column in absent:
        if other := alike.get(column.strip().casefold()):
            raise DataError(
                f"the first {records} have no {name} {column!r}; did you mean {other!r}?",
                where=where,
                expected="the names of schema.pbtxt",
                remedy="use the same upper and lower case, and the same spaces, in both",
            )
    if ignored and read and len(absent) == read:
        shown = ", ".join(ignored[:_SHOWN]) + (", …" if len(ignored) > _SHOWN else "")
        raise DataError(
            f"the first {records} have none of the columns",
            where=where,
            expected=f"some of the {name}s {', '.join(absent)}; they have: {shown}",
            remedy="correct the file, or the names of the columns",
        )
