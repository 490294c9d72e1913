"""Rejected records → one file of the source's own text, to be mended and read again.

CSV records stand below the header of their file, JSON lines as they were. The records of files with
types are JSON lines with the columns that the run reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components import files
from schemas.errors import ConfigError, DataError
from schemas.sources.csv import Csv
from schemas.sources.jsonl import JsonLines
from schemas.sources.options import SourceOptions

if TYPE_CHECKING:
    import pyarrow as pa

_BINARY = "not_an_example"  # records of TFRecord files that no text can hold


def write(rejects: pa.Table, source: SourceOptions, path: str, *, force: bool) -> int:
    """Write the records, and return how many they are.

    Args:
      rejects: as `components.ingest.rejects` keeps them.
      source: the options by which their files were read.
      path: the file to write.
      force: whether an existing file is overwritten.

    Raises:
      ConfigError: the file exists.
      DataError: there is no record to write, or the records have no header in common.
    """
    if not force and files.exists(path):
        raise ConfigError(
            f"{path} exists",
            expected="a new file",
            remedy="name another file with -o, or overwrite it with --force",
        )
    records = list(_records(rejects))
    if not records:
        raise DataError(
            "there are no such records to write",
            expected="at least one rejected record that is text",
            remedy="list what was rejected: the same command without -o",
        )
    text = b"".join(line + b"\n" for line in records)
    if isinstance(source, Csv):
        head = _header(rejects, source) + b"\n" if source.header else b""
        text = _encoded(head + text, source.encoding)
    files.write_whole(path, text)
    return len(records)


def in_words(source: SourceOptions) -> str:
    """Return what the file is, and what to do with it."""
    if isinstance(source, (Csv, JsonLines)):
        return "as they were in the source; mend them, and add the file to source.path"
    return (
        f"as JSON lines with the columns that the run reads, since the source is {source.format};"
        f" mend them, and write them as {source.format}"
    )


def _records(rejects: pa.Table) -> Iterator[bytes]:
    """Yield the bytes of each record, in the order of the files."""
    rejects = rejects.sort_by([("source", "ascending"), ("line", "ascending")])
    columns = (rejects[name].to_pylist() for name in ("record", "raw", "reason"))
    for record, raw, reason in zip(*columns, strict=True):
        if reason != _BINARY:
            yield record.encode() if raw is None else raw


def _encoded(text: bytes, encoding: str) -> bytes:
    """Return text, which is kept in UTF-8, in the encoding of the source."""
    return text.decode("utf-8", "surrogateescape").encode(encoding, "surrogateescape")


def _header(rejects: pa.Table, source: Csv) -> bytes:
    """Return the header that the records' files have in common."""
    from components.sources.header import header_of
    from components.sources.protocol import Selection
    from components.sources.rules import Rules

    dialect = Rules.of(source, Selection(())).dialect
    by_header: dict[bytes, str] = {}
    for path in sorted(rejects["source"].unique().to_pylist()):
        by_header.setdefault(header_of(path, dialect), path)
    if len(by_header) > 1:
        first, second, *_ = by_header.values()
        raise DataError(
            "the records are from files with different headers",
            where=f"{first} and {second}",
            expected="records below one header",
            remedy=f"write one file for each: --source {first}",
        )
    return next(iter(by_header))
