"""Finds the files of one kind of source in a folder, whose subfolders may be partitions."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

from components import files
from components.sources.partitions import partition_of, partitions_in
from schemas.errors import DataError
from schemas.sources import KINDS
from schemas.sources.options import FileOptions

_HIDDEN = ("_", ".")  # the first characters of files without rows, such as _SUCCESS


def files_in(folder: str, source: FileOptions, *, named: str) -> list[str]:
    """Return the files of a source in a folder, sorted; those in subfolders if it has partitions.

    Args:
      folder: the path for listing.
      source: the source, whose kind's endings the files have.
      named: the path as the user wrote it.

    Raises:
      DataError: there are none, or some of another kind of file, too.
      StoreError: the store does not answer, or refuses.
    """
    paths = _data_files(folder, recursive=source.partitions is not None)
    by_kind = {kind: [path for path in paths if kind.recognizes(path)] for kind in _kinds()}
    own = by_kind.pop(type(source))
    others = {kind: found for kind, found in by_kind.items() if found}
    endings = ", ".join(type(source).endings)
    if own and not others:
        return own
    if own:
        other = next(iter(others.values()))[0]
        raise DataError(
            f"the folder {named!r} has files of several kinds, such as {os.path.basename(own[0])}"
            f" and {os.path.basename(other)}",
            where=files.absolute(folder),
            expected=f"files of the kind {source.format} only",
            remedy=f"name the files with a pattern, such as '{_pattern(named, source, own)}'",
        )
    raise DataError(
        f"the folder {named!r} has no file of the kind {source.format}",
        where=files.absolute(folder),
        expected=f"files with one of the endings {endings}",
        remedy=_remedy(folder, named, source, paths, others),
    )


def source_in(folder: str) -> FileOptions | None:
    """Return the default options for the files in a folder; None if their kind is not clear."""
    parted = partitions_in(folder)
    paths = _data_files(folder, recursive=parted)
    kinds = [kind for kind in _kinds() if any(map(kind.recognizes, paths))]
    if len(kinds) != 1:
        return None
    options = kinds[0].plain(folder)
    return options.model_copy(update={"partitions": "hive"}) if parted else options


def _kinds() -> list[type[FileOptions]]:
    kinds: tuple[Any, ...] = KINDS
    return [kind for kind in kinds if issubclass(kind, FileOptions)]


def _data_files(folder: str, *, recursive: bool) -> list[str]:
    """Return the files in a folder, without hidden ones."""
    if files.in_store(folder) or recursive:  # a store lists what is in subfolders in any case
        names = [name for name in files.walk(folder) if recursive or "/" not in name]
    else:
        names = [n for n in files.names(folder) if files.is_file(os.path.join(folder, n))]
    shown = [n for n in names if not any(p.startswith(_HIDDEN) for p in n.split("/"))]
    return [os.path.join(folder, name) for name in shown]


def _pattern(folder: str, source: FileOptions, paths: Sequence[str]) -> str:
    ending, _ = Counter(os.path.splitext(path)[1] for path in paths).most_common(1)[0]
    below = "*" if source.partitions is None else "**/*"
    return f"{folder.rstrip('/')}/{below}{ending}"


def _remedy(
    folder: str,
    named: str,
    source: FileOptions,
    paths: Sequence[str],
    others: dict[type[FileOptions], list[str]],
) -> str:
    if source.partitions is None and partitions_in(folder):
        return (
            "set source.partitions: hive in pipeline.yaml, as its subfolders are named as"
            " partitions are, key=value"
        )
    if others:
        formats = [str(kind.model_fields["format"].default) for kind in others]
        return f"set source.format: {formats[0]} in pipeline.yaml"
    if paths:
        return f"name the files with a pattern, such as '{_pattern(named, source, paths)}'"
    return "correct source.path, or name the files in its subfolders with a pattern"


def check_partitions(paths: Sequence[str]) -> None:
    """Check that the paths of files have the same partition keys.

    Raises:
      DataError: one lacks a key that another one has, or none has any.
    """
    keys = dict.fromkeys(key for path in paths for key in partition_of(path))
    for path in paths:
        if absent := [key for key in keys if key not in partition_of(path)]:
            raise DataError(
                f"the path has no partition key {absent[0]!r}, which other files' paths have",
                where=path,
                expected=f"folders named {'/'.join(f'{key}=…' for key in keys)}",
                remedy="move the file to such a folder, or leave it out with a pattern",
            )
    if not keys:
        raise DataError(
            "the path has no partition keys, and source.partitions is hive",
            where=paths[0],
            expected="folders named key=value",
            remedy="remove source.partitions from pipeline.yaml",
        )
