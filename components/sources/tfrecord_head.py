"""Reads the first records of a TFRecord file: whether they are tf.Examples, of which features."""

from __future__ import annotations

import itertools
import os
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from components import files, tfrecords
from components.example_proto import Values, features_of
from components.sources.first_names import check_first_names
from components.sources.magic import GZIP, TFRECORD
from components.sources.protocol import Part, Selection
from components.sources.typed_checks import TypedFormat, unreadable
from schemas.errors import DataError
from schemas.sources.tfrecord import TfRecord

_MOST_RECORDS = 1_000
_FRAME = 16  # bytes around a record
_CHECKSUMS = 8  # of these, those that cannot be compressed
_GZIP = b"\x1f\x8b"
_FORMAT = TypedFormat(
    "TFRecord",
    "a TFRecord file of tf.Examples, plain or gzipped (.gz)",
    (TFRECORD, GZIP),
    endings=TfRecord.endings,
)


@dataclass(frozen=True)
class TfRecordPart(Part):
    """A TFRecord file before it is read; `ignored` has the first records' features.

    Attributes:
      seen: for each selected column and key, TensorFlow's name of the type that most of its values
        have in the first records; empty if unknown.
    """

    seen: tuple[str, ...]


def read_records(file: IO[bytes], path: str) -> Iterator[bytes]:
    """Yield the records of a file.

    Raises:
      DataError: a record is damaged, or the file ends within one.
    """
    damage = tfrecords.Damage()
    number = 0
    try:
        for record in tfrecords.records(file, damage, strict=True):
            number += 1
            yield record
    except OSError as error:
        raise unreadable(path, error, _FORMAT) from error
    if damage:
        how = "is cut off" if damage.cut else "is damaged"
        found = unreadable(path, OSError(f"record {number + 1} {how}"), _FORMAT)
        remedy = found.remedy or "the file is damaged or incomplete: copy it again"
        raise DataError(found.what, where=path, expected=found.expected, remedy=remedy)


def values_of(record: bytes) -> dict[str, list[Any]]:
    """Return the values of a tf.Example by feature, bytes as text where they are; {} of others."""
    features = features_of(record) or {}
    return {name: [plain(v) for v in feature.values] for name, feature in features.items()}


def plain(value: Any) -> Any:
    """Return a value of a tf.Example, bytes as text where they are."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def read_part(path: str, selection: Selection) -> TfRecordPart:
    """Read a file's first records; a file without any has no rows.

    Raises:
      DataError: the file cannot be read, its first records are not tf.Examples, or these have none
        of the columns, or one in other letters only.
    """
    try:
        with files.open_read(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            records = list(itertools.islice(read_records(file, path), _MOST_RECORDS))
            file.seek(0)
            share = _share(records, size, packed=file.read(len(_GZIP)) == _GZIP)
    except OSError as error:
        raise unreadable(path, error, _FORMAT) from error
    examples = [e for e in map(features_of, records) if e is not None]
    if records and not examples:
        raise DataError(
            "none of the first records is a tf.Example",
            where=path,
            expected=_FORMAT.file,
            remedy="write each row as a serialised tf.Example",
        )
    columns = selection.columns + selection.keys
    names = dict.fromkeys(name for example in examples for name in example)
    ignored = tuple(name for name in names if name not in {c.name for c in columns})
    if examples:
        absent = [c.name for c in columns if c.name not in names]
        check_first_names(
            absent, ignored, read=len(columns), records="records", name="feature", where=path
        )
    return TfRecordPart(
        path,
        ignored=ignored,
        rows=len(records) / share,
        text_bytes=sum(map(len, records)) / share,
        seen=tuple(_seen(examples, column.name) for column in columns),
    )


def _share(records: Sequence[bytes], size: int, *, packed: bool) -> float:
    """Return about which share of a file's bytes its first records take."""
    if len(records) < _MOST_RECORDS:
        return 1
    taken = sum(map(len, records)) + _FRAME * len(records)
    if packed:
        taken = len(zlib.compress(b"".join(records))) + _CHECKSUMS * len(records)
    return min(taken / size, 1)


def _seen(examples: Sequence[Mapping[str, Values]], name: str) -> str:
    types = Counter(example[name].dtype for example in examples if name in example)
    del types[""]
    return types.most_common(1)[0][0] if types else ""
