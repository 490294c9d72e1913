"""Checks what scores may replace: a file by a file, and in a folder the output of an earlier job.

What is read is never overwritten, and only files of `predict` are removed, which the `summary.json`
in their folder lists.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from components import files, overlap
from components.arrow_files import open_parquet
from components.sources.rejects import SCHEMA
from schemas.errors import ConfigError, DataError

SUMMARY = "summary.json"
REJECTS = "rejects"
_KEYS = frozenset({"model", "signature", "rows_read", "rows_scored", "files", "rejects"})
_PART = re.compile(r"part-[0-9]{5,}-of-[0-9]{5,}\.[a-z]+")
_MOST_NAMED = 3  # conflicting files that a message names


def check_apart(
    path: str, inputs: Sequence[str], kept: Sequence[str], *, beside: str | None
) -> None:
    """Check that an output does not overlap what is read.

    Args:
      path: the path of the output.
      inputs: the files that are read.
      kept: folders that must not be written to, such as the model's.
      beside: the rejects' file of a single-file output; None for a folder.

    Raises:
      ConfigError: the output equals or contains an input, or is inside or contains a kept folder.
    """
    if beside is None:
        for read in overlap.one_a_folder(inputs):
            if overlap.is_within(read, path):
                raise _refusal("the output folder contains a file to be scored", read)
    else:
        for read in inputs:
            if overlap.is_same(read, path):
                raise _refusal("the output is a file to be scored", read)
            if overlap.is_same(read, beside):
                raise _refusal("the rejected rows would replace a file to be scored", read)
    for folder in kept:
        if overlap.is_within(path, folder):
            raise _refusal("the output is inside a folder of models or of a run", folder)
        if beside is None and overlap.is_within(folder, path):
            raise _refusal("the output folder contains the model", folder)


def check_file(path: str, rejects: str, *, overwrite: bool) -> None:
    """Check that a file of scores, and its rejects, replace only what they may.

    Raises:
      ConfigError: something exists that is not allowed to be replaced.
    """
    _check_parents(path)
    there = [name for name in (path, rejects) if _is_there(name)]
    for name in there:
        if not files.is_file(name):
            raise _refusal("the output is a file, but something else has its name", name)
    if rejects in there and not _is_rejects(rejects):
        raise _refusal("the rejected rows would replace a file of another kind", rejects)
    if there and not overwrite:
        raise _is_there_already(there[0])


def check_folder(path: str, *, overwrite: bool) -> None:
    """Check that a folder of scores replaces nothing, or the output of an earlier job.

    Raises:
      ConfigError: something exists that is not allowed to be replaced.
    """
    _check_parents(path)
    if files.is_file(path):
        raise _refusal("the output is a folder, but a file has its name", path)
    if not files.in_store(path):
        _check_local_folder(path)
    others = sorted(itertools.islice(_others(path), _MOST_NAMED + 1))
    if others:
        shown = ", ".join(others[:_MOST_NAMED]) + ", …" * (len(others) > _MOST_NAMED)
        raise _refusal(f"the output folder contains other files: {shown}", path)
    if files.names(path) and not overwrite:
        raise _is_there_already(path)


def _check_parents(path: str) -> None:
    """Check that the parent folders of an output on a disk exist, or can be created."""
    if files.in_store(path):
        return
    nearest = next((p for p in Path(path).parents if os.path.lexists(p)), Path("/"))
    if not nearest.is_dir():
        raise _refusal("the parent folder of the output is a file", str(nearest))


def _check_local_folder(path: str) -> None:
    """Check that an existing folder on a disk can be replaced."""
    if os.path.lexists(path) and not os.path.isdir(path):
        raise _refusal("the output is a folder, but something else has its name", path)
    if overlap.is_within(os.curdir, path):
        raise _refusal("the output is the current folder, or one above it", path)
    if os.path.ismount(path):
        raise _refusal("the output is a mounted folder, which cannot be replaced", path)


def written(folder: str) -> frozenset[str]:
    """Return the names of an earlier job's files in a folder, from its summary."""
    path = os.path.join(folder, SUMMARY)
    if not files.is_file(path):
        return frozenset()
    try:
        summary = json.loads(files.read_bytes(path))
        if not summary.keys() >= _KEYS:
            return frozenset()
        names = [os.path.basename(name) for name in summary["files"]]
        rejects = [os.path.basename(name) for name in summary["rejects"]]
    except (ValueError, TypeError, AttributeError):  # another program's summary.json
        return frozenset()
    parts = [*names, *(os.path.join(REJECTS, name) for name in rejects)]
    return frozenset([SUMMARY, *(p for p in parts if _PART.fullmatch(os.path.basename(p)))])


def _refusal(what: str, where: str) -> ConfigError:
    return ConfigError(
        what,
        where=where,
        expected="a place where only the output of `skewless predict` is replaced",
        remedy="name another output, such as a new folder",
    )


def _is_there_already(where: str) -> ConfigError:
    return ConfigError(
        "the output exists already",
        where=where,
        remedy="name another, or replace it with --overwrite",
    )


def _is_there(path: str) -> bool:
    return files.is_file(path) or (not files.in_store(path) and os.path.lexists(path))


def _is_rejects(path: str) -> bool:
    """Return whether a file has the columns of rejected rows."""
    try:
        return bool(open_parquet(path).schema_arrow.names == SCHEMA.names)
    except (OSError, pa.ArrowException, DataError):
        return False


def _others(folder: str) -> Iterator[str]:
    """Yield the files and folders in a folder that `predict` did not write."""
    own = written(folder)
    yield from (name for name in _below(folder) if name not in own)


def _below(folder: str) -> Iterator[str]:
    """Yield all files and folders below a folder, by relative path, except the rejects' folder."""
    if files.in_store(folder):
        yield from files.walk(folder)
        return
    for at, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = os.path.relpath(os.path.join(at, name), folder)
            if path != REJECTS or os.path.islink(os.path.join(at, name)):
                yield path
