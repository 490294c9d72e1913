"""The raw columns of a SavedModel's requests, in a file of its folder.

A signature has the names of its inputs, and TensorFlow's types. The file has the columns' types,
which say more: whether a text is a time, and how long a list may be. A second file has the names of
columns that a selection dropped: the server ignores these in requests.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from components import files
from schemas import columns as raw
from schemas.columns import Column
from schemas.errors import ModelError

FILE = os.path.join("assets.extra", "columns.json")
DROPPED_FILE = os.path.join("assets.extra", "dropped_columns.json")


def write(saved_model: str, columns: Iterable[Column]) -> None:
    """Write the raw columns that a request contains into a SavedModel's folder on this machine."""
    path = os.path.join(saved_model, FILE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(raw.dumps(columns))


def read(saved_model: str) -> dict[str, Column]:
    """Return the columns by name; none if the SavedModel was not exported with this file.

    Raises:
      ModelError: the file is damaged.
    """
    path = os.path.join(saved_model, FILE)
    try:
        return {column.name: column for column in raw.loads(files.read_bytes(path))}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"the raw columns cannot be read: {error}", where=path) from error


def write_dropped(saved_model: str, names: Iterable[str]) -> None:
    """Write the names of the dropped columns, if there are any, beside the raw columns."""
    if dropped := sorted(names):
        with open(os.path.join(saved_model, DROPPED_FILE), "w", encoding="utf-8") as file:
            json.dump(dropped, file)


def read_dropped(saved_model: str) -> frozenset[str]:
    """Return the names of the dropped columns; none if the SavedModel has no such file.

    Raises:
      ModelError: the file is damaged.
    """
    path = os.path.join(saved_model, DROPPED_FILE)
    try:
        names = json.loads(files.read_bytes(path))
    except FileNotFoundError:
        return frozenset()
    except ValueError as error:
        raise ModelError(f"the dropped columns cannot be read: {error}", where=path) from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ModelError("the dropped columns are not a list of names", where=path)
    return frozenset(names)
