"""Resolves the path given to `skewless serve`: a run, a serving folder or one SavedModel.

The result is a `Base`, which lists the versions at that location, on a disk or in a store.
TensorFlow is not imported, so errors are reported at once.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from components import files
from components.evaluate.published import SAVED_MODEL, versions
from schemas.errors import ConfigError

_SERVING = "serving"  # the name of the serving folder in a run
_LONE_VERSION = 1  # of a SavedModel whose folder is not named by a number
_NAME = re.compile(r"[^/:]+")

# Shows whether anything in a folder has changed: path, size and time of each file.
Stamp = frozenset[tuple[str, int, int]]


@dataclass(frozen=True)
class Base:
    """The location of a model's versions.

    Attributes:
      path: a folder of numbered versions, or a SavedModel.
      lone: the version if `path` is a single SavedModel; None for a folder of versions.
    """

    path: str
    lone: int | None = None

    def versions(self) -> dict[int, str]:
        """Return the folders of the SavedModels that exist now, by version.

        A folder without a graph does not count: it is still being written, or something else.
        """
        available = versions(self.path) if self.lone is None else {self.lone: self.path}
        if self.lone is None and files.in_store(self.path):
            return available  # in a store, folders are listed by their graphs
        return {version: path for version, path in available.items() if _is_saved_model(path)}


def find(path: str) -> Base:
    """Resolve a path.

    Args:
      path: the folder of a run, of numbered versions, or of a SavedModel.

    Raises:
      ConfigError: there is no such folder, or no version in it.
      StoreError: the store does not answer, or refuses.
    """
    path = files.absolute(path)
    if not files.exists(path):
        raise ConfigError(
            f"there is no folder {path}",
            expected="a run (runs/taxi), a serving folder, or a SavedModel",
            remedy="run the pipeline first: skewless run taxi",
        )
    if _is_saved_model(path):
        last = os.path.basename(path)
        return Base(path, int(last) if last.isascii() and last.isdigit() else _LONE_VERSION)
    for folder in (os.path.join(path, _SERVING), path):
        base = Base(folder)
        if base.versions():
            return base
    runs = [name for name in files.names(path) if _is_run(os.path.join(path, name))]
    raise ConfigError(
        "there is no version to serve",
        where=path,
        expected=f"{SAVED_MODEL}, or folders named 1, 2, … that have one",
        remedy=f"name a run in it: {', '.join(runs)}"
        if runs
        else "run the pipeline until it pushes a model; if it does not, it says why",
    )


def default_name(path: str) -> str:
    """Return the run's name: the name of the first folder in RUN, RUN/serving and RUN/serving/3."""
    path = files.absolute(path)
    if _is_saved_model(path) and os.path.basename(path).isdigit():
        path = os.path.dirname(path)
    if os.path.basename(path) == _SERVING:
        path = os.path.dirname(path)
    return os.path.basename(path)


def check_name(name: str, what: str = "a model") -> None:
    """Check that a name can be part of a path.

    Raises:
      ConfigError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{what} cannot be named {name!r}", expected="at least one character, none of / and :"
        )


def stamp(folder: str) -> Stamp:
    """Return a value that changes whenever a file in a folder is added, removed or written."""
    if files.in_store(folder):
        return frozenset((file.path, file.size, file.changed) for file in files.entries(folder))
    entries = set()
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            try:
                status = os.stat(path)
            except OSError:  # removed since it was listed: the next stamp differs
                continue
            entries.add((path, status.st_size, status.st_mtime_ns))
    return frozenset(entries)


def _is_run(path: str) -> bool:
    return bool(Base(os.path.join(path, _SERVING)).versions())


def _is_saved_model(path: str) -> bool:
    return files.is_file(os.path.join(path, SAVED_MODEL))
