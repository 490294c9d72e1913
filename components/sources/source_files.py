"""Resolves a path or pattern to source files, or explains why there are none."""

from __future__ import annotations

import os
import re
from collections import Counter

from components import files
from components.sources.source_folders import check_partitions, files_in
from schemas.errors import DataError, did_you_mean
from schemas.sources.options import FileOptions
from schemas.spans import has_spans

WILDCARD = re.compile(r"[*?\[]")
_ENDING = re.compile(r"(\.[a-z]+\d?)?\.[A-Za-z]+\d?$")  # .csv, .csv.gz


def source_files(
    path: str, *, named: str, remedy: str | None = None, source: FileOptions | None = None
) -> list[str]:
    """Return the files that a path, a folder or a pattern names, sorted.

    Args:
      path: the path for opening files.
      named: the path as the user wrote it.
      remedy: what to do if nothing better is known.
      source: says which files of a folder are meant; None refuses folders.

    Raises:
      DataError: there are none; says if it is a folder, and names a file with a similar name.
      StoreError: the store does not answer, or refuses.
    """
    paths = [entry.path for entry in files.find(path)]
    if not paths and source is not None and files.names(path):
        paths = files_in(path, source, named=named)
    if paths:
        if source is not None and source.partitions is not None:
            check_partitions(paths)
        return paths
    if names := files.names(path):
        raise DataError(
            f"{named!r} is a folder",
            where=files.absolute(path),
            expected="a file, or a pattern of files",
            remedy=f"name the files in it, such as {_pattern(named, names)!r}",
        )
    raise DataError(
        f"no file matches {named!r}{_why(path)}",
        where=files.absolute(path),
        expected="at least one file",
        remedy=remedy,
    )


def _pattern(folder: str, names: list[str]) -> str:
    """Return a pattern for a folder's files, with their most frequent ending."""
    endings = Counter(match[0] for name in names if (match := _ENDING.search(name)))
    ending = endings.most_common(1)[0][0] if endings else ".csv"
    return f"{folder.rstrip('/')}/*{ending}"


def _why(path: str) -> str:
    """Return what is known about a missing file."""
    if has_spans(path):
        return ": only source.path has spans"
    if files.in_store(path):
        return ""
    if os.path.isdir(path):
        return ": it is an empty folder"
    if os.path.exists(path):
        return ": it is not a regular file"
    if os.path.islink(path):
        return f": it is a link to {os.readlink(path)}, which does not exist"
    folder, name = os.path.split(path)
    if WILDCARD.search(folder):
        folder = os.path.dirname(WILDCARD.split(folder)[0])
    if folder and not os.path.isdir(folder):
        return f": there is no folder {folder}"
    if WILDCARD.search(path):
        return ""
    hint = did_you_mean(name, files.names(folder or "."))
    return f"; {hint}" if hint.startswith("did you mean") else ""
