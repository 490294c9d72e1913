"""A block of CSV records → typed examples + rejected records, every one with its reason.

Arrow parts the text into values, all as text; `cells` gives them their types, a column at a time.
Only for records that are rejected is anything done one by one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from components.compat import keep_pyarrow_off_the_heap
from components.examples import arrow_schema
from components.ingest.cells import Cells, convert
from components.ingest.csv_blocks import Block
from components.ingest.header import Fields
from components.ingest.rejects import Reason, Reject
from components.ingest.rules import SPACES, Rules
from schemas.errors import DataError


@dataclass(frozen=True)
class Parsed:
    """What became of a block.

    Attributes:
      examples: in the file's order.
      records: int64 of shape [examples], which of the block's records each example is.
      rejects: by line.
    """

    examples: pa.RecordBatch
    records: np.ndarray
    rejects: tuple[Reject, ...]


class _Text(NamedTuple):
    """A block's values as text.

    Attributes:
      columns: one string array a column, null where missing.
      records: int64 of shape [rows], which of the block's records each row is.
      field_counts: of the records that are no row, for they have too many fields or too few.
    """

    columns: list[pa.Array]
    records: np.ndarray
    field_counts: dict[int, int]


def parse(block: Block, fields: Fields, rules: Rules) -> Parsed:
    """Turn a block's records into examples or rejects; every record becomes one of the two.

    Raises:
      DataError: Arrow parted the block into other records than we did, a fault of this program.
    """
    text = _read_text(block, fields, rules)
    cells = [
        convert(column, spec.kind) for column, spec in zip(text.columns, rules.columns, strict=True)
    ]
    reasons, culprits = _first_reasons(cells, rules)
    batch = pa.RecordBatch.from_arrays(
        [c.values for c in cells], schema=arrow_schema(rules.columns)
    )
    if not reasons.any() and len(text.records) == len(block):
        return Parsed(batch, text.records, ())
    bad = _bad_rows(block, text, reasons, culprits, rules)
    bad += _bad_records(block, text, fields)
    good = reasons == 0
    rejects = _as_rejects(sorted(bad), block, fields)
    return Parsed(batch.filter(pa.array(good)), text.records[good], rejects)


def _read_text(block: Block, fields: Fields, rules: Rules) -> _Text:
    data = block.data if block.closed.all() else block.closed_records()
    closed = np.flatnonzero(block.closed)
    wrong: list[tuple[int, int]] = []

    def note(row: pv.InvalidRow) -> str:
        wrong.append((row.number - 1, row.actual_columns))
        return "skip"

    table = _read_csv(_as_utf8(data), note, fields, rules)
    if table.num_rows + len(wrong) != closed.size:
        raise DataError(
            f"{closed.size} records were read as {table.num_rows + len(wrong)}",
            where=f"{fields.source}:{block.line}",
            remedy="this is a fault of skewless, not of the data: please report it",
        )
    columns = [c.chunk(0) if c.num_chunks == 1 else c.combine_chunks() for c in table.columns]
    return _Text(
        columns=[_trim(c, rules.null_values) for c in columns] if rules.trim else columns,
        records=np.delete(closed, [row for row, _ in wrong]),
        field_counts={int(closed[row]): count for row, count in wrong},
    )


def _read_csv(data: bytes, note: object, fields: Fields, rules: Rules) -> pa.Table:
    """Let Arrow part the text; columns are called by their position, for names may be equal."""
    names = [str(i) for i in range(fields.count)]
    wanted = [names[i] for i in fields.positions]
    if not data:
        return pa.table([pa.array([], pa.string())] * len(wanted), names=wanted)
    keep_pyarrow_off_the_heap()
    return pv.read_csv(
        pa.py_buffer(data),
        # one block, one thread: only then does Arrow know the number of a row it cannot take
        pv.ReadOptions(column_names=names, block_size=len(data) + 1, use_threads=False),
        pv.ParseOptions(
            delimiter=rules.dialect.delimiter.decode(),
            newlines_in_values=True,
            invalid_row_handler=note,
        ),
        pv.ConvertOptions(
            column_types=dict.fromkeys(wanted, pa.string()),
            include_columns=wanted,
            null_values=list(rules.null_values),
            strings_can_be_null=True,
            check_utf8=False,  # `_as_utf8` has seen to it
        ),
    )


def _as_utf8(data: bytes) -> bytes:
    """Put NUL for each byte that is not UTF-8: such values are rejected either way."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogateescape")
        return re.sub("[\udc80-\udcff]", "\0", text).encode("utf-8")
    return data


def _trim(column: pa.Array, null_values: Sequence[str]) -> pa.Array:
    trimmed = pc.ascii_trim(column, characters=SPACES)
    missing = pc.is_in(trimmed, value_set=pa.array(null_values, pa.string()))
    return pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)


def _first_reasons(cells: Sequence[Cells], rules: Rules) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's first reason and the position of the column that gives it."""
    rows = len(cells[0].values)
    reasons, culprits = np.zeros(rows, np.uint8), np.zeros(rows, np.int64)
    found = [(i, c.reasons) for i, c in enumerate(cells) if c.reasons.any()]
    for i, column in enumerate(rules.columns):
        if column.name in rules.label_columns and cells[i].values.null_count:
            missing = np.asarray(cells[i].values.is_null())
            found.append((i, missing.astype(np.uint8) * np.uint8(Reason.MISSING_LABEL)))
    for i, column_reasons in found:
        first = (reasons == 0) & (column_reasons > 0)
        reasons[first], culprits[first] = column_reasons[first], i
    return reasons, culprits


# A record, why it is rejected, the column's name and its value.
_Bad = tuple[int, Reason, str, str]


def _bad_rows(
    block: Block, text: _Text, reasons: np.ndarray, culprits: np.ndarray, rules: Rules
) -> list[_Bad]:
    """Tell of records of which a value is wrong."""
    bad: list[_Bad] = []
    for row in np.flatnonzero(reasons).tolist():
        record, reason = int(text.records[row]), Reason(int(reasons[row]))
        value = text.columns[culprits[row]][row].as_py() or ""
        if reason is Reason.CONTAINS_NUL and not _is_utf8(block.record(record)):
            reason, value = Reason.NOT_UTF8, value.replace("\0", "\ufffd")
        bad.append((record, reason, rules.columns[culprits[row]].name, value))
    return bad


def _bad_records(block: Block, text: _Text, fields: Fields) -> list[_Bad]:
    """Tell of records that could not be parted into values."""
    return [
        (record, Reason.WRONG_FIELD_COUNT, "", f"{count} fields; the header has {fields.count}")
        for record, count in text.field_counts.items()
    ] + [(r, Reason.UNCLOSED_QUOTE, "", "") for r in np.flatnonzero(~block.closed).tolist()]


def _as_rejects(bad: Sequence[_Bad], block: Block, fields: Fields) -> tuple[Reject, ...]:
    lines = block.lines_of(np.array([record for record, *_ in bad], np.int64)).tolist()
    return tuple(
        Reject(fields.source, line, column or None, value or None, reason, block.record(record))
        for line, (record, reason, column, value) in zip(lines, bad, strict=True)
    )


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
