"""Rejected records → one file in the source's own format, to be mended and read again.

CSV records stand below the header of their file, JSON lines as they were. Rows of Parquet, Arrow
and ORC, and records of Avro and TFRecord, are read again from their files. Rows of databases, and
those whose files were removed, are JSON lines: a text of SQL or CSV would not keep an empty text
apart from a missing one, and the rows are in the table already, where they are to be mended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from components import files
from pipeline import rejects_records, rejects_rows
from schemas.errors import ConfigError, DataError
from schemas.sources.csv import Csv
from schemas.sources.jsonl import JsonLines
from schemas.sources.options import FileOptions, SourceOptions

if TYPE_CHECKING:
    import pyarrow as pa

_AS_READ = "as they were in the source; mend them, and add the file to source.path"
_REREAD = (rejects_rows, rejects_records)
_BINARY = "not_an_example"  # records of TFRecord files that no text can hold


def write(rejects: pa.Table, source: SourceOptions, path: str, *, force: bool) -> tuple[int, str]:
    """Write the records; return how many they are, and what the file is in words.

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
    rejects = rejects.sort_by([("source", "ascending"), ("line", "ascending")])
    for reread in _REREAD:
        if rejects.num_rows and source.format in reread.FORMATS:
            rows = reread.read(rejects, source.format)
            if rows is not None:
                reread.write(rows, source.format, path)
                return rows.num_rows, _AS_READ
    records = list(_records(rejects))
    if not records:
        raise DataError(
            "there are no such records to write",
            expected="at least one rejected record that is text",
            remedy="list what was rejected: the same command without -o",
        )
    files.write_whole(path, _text(rejects, records, source))
    return len(records), _AS_READ if isinstance(source, (Csv, JsonLines)) else _as_json(source)


def _text(rejects: pa.Table, records: Sequence[bytes], source: SourceOptions) -> bytes:
    text = b"".join(line + b"\n" for line in records)
    if not isinstance(source, Csv):
        return text
    head = _header(rejects, source) + b"\n" if source.header else b""
    return _encoded(head + text, source.encoding)


def _as_json(source: SourceOptions) -> str:
    if not isinstance(source, FileOptions):
        return "as JSON lines with the columns that the run reads; mend them in the table"
    return (
        "as JSON lines with the columns that the run reads, since the source is"
        f" {source.format}, whose files were removed or have changed; mend them, and write them as"
        f" {source.format}"
    )


def _records(rejects: pa.Table) -> Iterator[bytes]:
    """Yield the bytes of each record, in the order of the files."""
    reasons = rejects["reason"].to_pylist()
    for record, reason in zip(rejects_rows.records_of(rejects), reasons, strict=True):
        if reason != _BINARY:
            yield record


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
