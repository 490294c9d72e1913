"""The source of a dataset: its reader, its files or tables, and a digest of what they hold."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, cast

from components.ingest.selection import selection_of
from components.sources.partitions import partition_of
from components.sources.protocol import Reader, TableReader, open_reader
from components.sources.source_files import source_files
from pipeline import digests
from pipeline.digest_cache import DigestCache
from schemas.catalog import SPEC_FILE, Dataset
from schemas.sources.options import FileOptions


def reader_of(dataset: Dataset) -> Reader[Any]:
    """Return the reader of the source.

    Raises:
      ConfigError: the source's options contradict each other.
    """
    spec = dataset.spec
    return open_reader(spec.source, selection_of(dataset.columns, spec.label, spec.splits))


def fingerprint(dataset: Dataset, known: DigestCache) -> str:
    """Return a digest of the source's files: their contents, and their names if these matter.

    A table that is in none has a version instead.

    Raises:
      DataError: there is no file, or the table cannot be reached.
    """
    paths, table = files_of(dataset), table_reader(dataset)
    if table is not None and not paths:
        return " ".join(map(table.version, paths_of(dataset)))
    digest = digests.source(paths, known)
    return " ".join([digest, *_names_that_matter(dataset, paths)])


def _names_that_matter(dataset: Dataset, paths: Sequence[str]) -> list[str]:
    """Return what a run reads of the names of files and of their folders."""
    spec, names = dataset.spec, []
    if spec.splits.reads_names:
        names += [os.path.basename(path) for path in paths]
    if isinstance(spec.source, FileOptions) and spec.source.partitions is not None:
        names += [json.dumps(partition_of(path)) for path in paths]
    return names


def paths_of(dataset: Dataset) -> list[str]:
    """Return the source's files: those of each path in turn, sorted, each once; or a table's URL.

    Raises:
      DataError: a path leads to none.
    """
    source = dataset.spec.source
    if not isinstance(source, FileOptions):
        return list(dataset.source_patterns)
    remedy = f"correct source.path in {dataset.folder / SPEC_FILE}"
    found: dict[str, None] = {}
    for pattern, named in zip(dataset.source_patterns, dataset.source_names, strict=True):
        found |= dict.fromkeys(source_files(pattern, named=named, remedy=remedy, source=source))
    return list(found)


def files_of(dataset: Dataset) -> list[str]:
    """Return the files that a run reads its rows from; none for a table that is in none."""
    paths, table = paths_of(dataset), table_reader(dataset)
    return paths if table is None else [file for path in paths for file in table.files(path)]


def table_reader(dataset: Dataset) -> TableReader[Any] | None:
    """Return the reader of a source that is not files of rows; None if it is."""
    if isinstance(dataset.spec.source, FileOptions):
        return None
    return cast(TableReader[Any], reader_of(dataset))
