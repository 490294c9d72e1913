"""Detects a file's format by its first bytes, whatever its name is, and has a remedy for each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from components import tfrecords

HEAD_BYTES = 4096

_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_UTF_BYTES = 256  # of the head; the names in it are ASCII whatever the language of the values


@dataclass(frozen=True)
class FileKind:
    """A file format that its first bytes show.

    Attributes:
      name: for "the file is …".
      remedy: what to do about it.
    """

    name: str
    remedy: str


def _set(kind: str, ending: str) -> str:
    """Return the remedy for a format that is a kind of source."""
    return (
        f"set source.format: {kind} in pipeline.yaml; `skewless predict` reads it if its name ends"
        f" in {ending}"
    )


def _packed(by: str, tool: str, ending: str) -> FileKind:
    """Return a packed file that is read if its name says so."""
    return FileKind(
        f"packed with {by}",
        f"unpack it with {tool}; it is also read directly if its name ends in {ending}",
    )


GZIP = _packed("gzip", "gunzip", ".gz")
BZIP2 = _packed("bzip2", "bunzip2", ".bz2")
ZSTD = _packed("zstd", "unzstd", ".zst")
PARQUET = FileKind("a Parquet file", _set("parquet", ".parquet"))
ARROW = FileKind("an Arrow (Feather) file", _set("arrow", ".arrow"))
ARROW_STREAM = FileKind("an Arrow stream", ARROW.remedy)
ORC = FileKind("an ORC file", _set("orc", ".orc"))
AVRO = FileKind("an Avro file", _set("avro", ".avro"))
TFRECORD = FileKind("a TFRecord file", _set("tfrecord", ".tfrecord"))
_FEATHER_1 = FileKind(
    "a Feather file of version 1",
    "write it as version 2: pyarrow.feather.write_feather(table, path); or write the table as"
    " Parquet or CSV",
)
_OTHER = "write the table as Parquet or CSV"
_ZIP = FileKind("a zip archive", "unzip it, and name the files that were in it")
_EXCEL = FileKind("an Excel workbook", "save the sheet as `CSV UTF-8` from the spreadsheet program")
_SHEET = FileKind("an OpenDocument spreadsheet", "save the sheet as CSV in UTF-8")
JSON_LINES = FileKind("JSON", _set("jsonl", ".jsonl"))
_JSON_ARRAY = FileKind(
    "a JSON array",
    "write each object on a line of its own, as in jq -c '.[]' FILE > NEW-FILE.jsonl, and set"
    " source.format: jsonl",
)

# The first bytes of the formats. Binary formats also have control characters soon after: a header
# line may well begin with the letters "ORC".
_BINARY: tuple[tuple[bytes, FileKind], ...] = (
    (b"\x1f\x8b", GZIP),
    (b"PAR1", PARQUET),
    (b"PARE", FileKind("an encrypted Parquet file", "write it without encryption")),
    (b"ARROW1", ARROW),
    (b"FEA1", _FEATHER_1),
    (b"\xff\xff\xff\xff", ARROW_STREAM),
    (b"ORC", ORC),
    (b"Obj\x01", AVRO),
    (
        b"SQLite format 3\0",
        FileKind("an SQLite database", "export the table as CSV: sqlite3 -csv -header"),
    ),
    (b"BZh", BZIP2),
    (b"\x28\xb5\x2f\xfd", ZSTD),
    (b"\xfd7zXZ\0", FileKind("packed with xz", "unpack it with unxz")),
    (b"\x04\x22\x4d\x18", FileKind("packed with lz4", "unpack it with unlz4")),
    (b"7z\xbc\xaf\x27\x1c", FileKind("a 7z archive", "unpack it with 7z x")),
    (b"Rar!\x1a\x07", FileKind("a RAR archive", "unpack it with unrar x")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _EXCEL),
    (b"\x89HDF\r\n\x1a\n", FileKind("an HDF5 file", _OTHER)),
)
_TEXT: tuple[tuple[re.Pattern[bytes], FileKind], ...] = (
    (re.compile(rb"(?i)\s*<(!doctype html|html)"), FileKind("a web page", "fetch the data itself")),
    (
        re.compile(rb"\s*<\?xml"),
        FileKind("XML", "write it as CSV, with a header line of column names"),
    ),
    (re.compile(rb'\s*\{\s*"[^"]*"\s*:'), JSON_LINES),
    (re.compile(rb"\s*\[\s*\{"), _JSON_ARRAY),
    (re.compile(rb"%PDF-"), FileKind("a PDF file", "export the table as CSV")),
)
_BOMS = (  # UTF-32's begins with UTF-16's
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
# Bytes of a character: which of them are NUL for letters of most languages, and which one is not.
_WITHOUT_BOM = (
    ("UTF-32LE", 4, (2, 3), 0),
    ("UTF-32BE", 4, (0, 1), 3),
    ("UTF-16LE", 2, (1,), 0),
    ("UTF-16BE", 2, (0,), 1),
)


def kind_of(head: bytes) -> FileKind | None:
    r"""Return the format of a file that begins with these bytes; None for what may be CSV.

    Args:
      head: the first `HEAD_BYTES`, or all of a shorter file.

    >>> kind_of(b"PAR1\x15\x04\x15").name, kind_of(b"PAR1,fare\n1,2\n")
    ('a Parquet file', None)
    """
    if head.startswith(b"PK") and is_binary(head):
        return _zipped(head)
    if head[257:262] == b"ustar":
        return FileKind(
            "a tar archive", "unpack it with tar -xf, and name the files that were in it"
        )
    for magic, kind in _BINARY:
        if head.startswith(magic) and is_binary(head):
            return kind
    if tfrecords.begins(head):
        return TFRECORD
    if (encoding := wide_encoding(head)) is not None:
        remedy = (
            f"set source.encoding: {encoding.lower()} in pipeline.yaml if it is CSV, or convert it"
            f" to UTF-8: iconv -f {encoding} -t UTF-8 FILE > NEW-FILE"
        )
        return FileKind(f"text in {encoding}", remedy)
    text = head.removeprefix(b"\xef\xbb\xbf")
    return next((kind for pattern, kind in _TEXT if pattern.match(text)), None)


def is_binary(data: bytes) -> bool:
    """Return whether there are control characters that text does not have."""
    return _CONTROL.search(data) is not None


def _zipped(head: bytes) -> FileKind:
    if b"opendocument.spreadsheet" in head:
        return _SHEET
    is_office = b"[Content_Types].xml" in head and b"word/" not in head and b"ppt/" not in head
    return _EXCEL if is_office or b"xl/" in head else _ZIP


def wide_encoding(head: bytes) -> str | None:
    """Return UTF-16 or UTF-32 if a byte order mark or the positions of NULs show it."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    for encoding, width, zeros, character in _WITHOUT_BOM:
        whole = head[: min(len(head), _UTF_BYTES) // width * width]
        if _share(whole[character::width]) < 0.1 and all(
            _share(whole[place::width]) > 0.6 for place in zeros
        ):
            return encoding
    return None


def _share(data: bytes) -> float:
    """Return the share of NULs."""
    return data.count(0) / max(len(data), 1)
