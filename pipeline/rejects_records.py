"""Rejected records of Avro and TFRecord files, read again and written in the same format.

Records are copied byte by byte: values that no text can hold stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from components import files, tfrecords
from components.sources import avro
from components.sources.avro_blocks import write_file
from components.sources.rejects import as_json
from components.sources.tfrecord_head import read_records, values_of
from pipeline import rejects_rows
from schemas.errors import DataError

FORMATS = ("avro", "tfrecord")


@dataclass(frozen=True)
class EncodedRecords:
    """Records as their files have them.

    Attributes:
      records: the bytes of each.
      schema: the one by which Avro's are encoded.
    """

    records: Sequence[bytes]
    schema: Any = None

    @property
    def num_rows(self) -> int:
        """How many records there are."""
        return len(self.records)


def read(rejects: pa.Table, kind: str) -> EncodedRecords | None:
    """Return the records as their files have them; None if a file was removed or has changed.

    Args:
      rejects: as `components.ingest.rejects` keeps them, in the order of their files.
      kind: the format of the files.
    """
    try:
        return _of_avro(rejects) if kind == "avro" else _of_tfrecords(rejects)
    except (OSError, DataError):
        return None


def write(encoded: EncodedRecords, kind: str, path: str) -> None:
    """Write records into a file of a format."""
    with files.whole(path) as partial, open(partial, "wb") as file:
        if kind == "avro":
            write_file(file, encoded.schema, encoded.records)
        else:
            file.writelines(map(tfrecords.framed, encoded.records))


def _of_avro(rejects: pa.Table) -> EncodedRecords | None:
    """Return Avro records; None if their files have different schemas."""
    records, schemas = [], []
    for path in rejects["source"].unique().to_pylist():
        own = rejects.filter(pc.equal(rejects["source"], path))
        found = avro.records_at(path, set(own["line"].to_pylist()))
        if not rejects_rows.are_the_same(found.rows, own):
            return None
        records += found.encoded
        schemas.append(found.schema)
    return (
        EncodedRecords(records, schemas[0]) if schemas.count(schemas[0]) == len(schemas) else None
    )


def _of_tfrecords(rejects: pa.Table) -> EncodedRecords | None:
    records: list[bytes] = []
    for path in rejects["source"].unique().to_pylist():
        own = rejects.filter(pc.equal(rejects["source"], path))
        records_kept = rejects_rows.records_of(own)
        kept = dict(zip(own["line"].to_pylist(), records_kept, strict=True))
        with files.open_read(path) as file:
            numbered = enumerate(read_records(file, path), 1)
            again = {number: record for number, record in numbered if number in kept}
        if not all(_is_of(again.get(line, b""), kept[line]) for line in kept):
            return None
        records += again.values()
    return EncodedRecords(records)


def _is_of(record: bytes, kept: bytes) -> bool:
    """Return whether a record is the one that was kept, as its values or as its bytes."""
    if record == kept:
        return True
    return bool(record) and json.loads(as_json(values_of(record))) == _loaded(kept)


def _loaded(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
