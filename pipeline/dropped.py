"""Shows rows that `prepare` dropped, from the files that `prepare.keep_dropped` keeps.

Reads row groups until there are enough rows of each rule; imports pyarrow alone.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import Any

from components import files

FOLDER = "dropped"


def samples_of(folder: str, rules: Collection[str], samples: int) -> dict[str, list[Any]]:
    """Return the first dropped rows of each rule, as the files have them.

    Args:
      folder: the folder of the files; it does not exist unless dropped rows are kept.
      rules: the rules that dropped rows.
      samples: how many rows of each.
    """
    found: dict[str, list[Any]] = {rule: [] for rule in rules}
    for group in _groups(folder):
        if all(len(rows) >= samples for rows in found.values()):
            break
        names = group["rule"].to_pylist()
        for rule, rows in found.items():
            own = [i for i, name in enumerate(names) if name == rule][: samples - len(rows)]
            rows += group.take(own).to_pylist() if own else []
    return found


def _groups(folder: str) -> Iterator[Any]:
    from components.arrow_files import open_parquet

    for name in files.names(folder):
        file = open_parquet(os.path.join(folder, name))
        for number in range(file.metadata.num_row_groups):
            yield file.read_row_group(number)


def line_of(row: dict[str, Any]) -> str:
    """Return a dropped row as a line of text, with its place if it is known."""
    values = ", ".join(f"{name} = {value!r}" for name, value in row["row"].items())
    place = f"{row['source']}:{row['line']} " if row["source"] is not None else ""
    return f"  {place}{values}"[:300]
