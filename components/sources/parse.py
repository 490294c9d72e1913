"""Parses CSV records into typed rows and rejects with reasons.

Arrow splits the text into values, all of them text; `cells` converts them to their types, a column
at a time. Only rejected records are processed one by one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pv

from components.compat import keep_pyarrow_off_the_heap
from components.examples import arrow_schema
from components.sources import lists
from components.sources.cells import Cells, first_reasons
from components.sources.csv_blocks import Records
from components.sources.header import Fields
from components.sources.number_text import NumberFormat
from components.sources.protocol import Block
from components.sources.rejects import Reject, RejectReason
from components.sources.rules import Rules
from components.sources.texts import trimmed, with_nulls
from schemas.columns import Column
from schemas.errors import DataError

_BOM = b"\xef\xbb\xbf"


class _Text(NamedTuple):
    """The values of a block as text.

    Attributes:
      columns: a string array for each column, null if missing.
      records: int64 of shape [rows], the position of each row among the block's records.
      field_counts: the numbers of fields of records that have too many or too few.
    """

    columns: list[pa.Array]
    records: np.ndarray
    field_counts: dict[int, int]


def parse(block: Records, fields: Fields, rules: Rules) -> Block:
    """Turn each record into a row or a reject.

    Raises:
      DataError: Arrow split the block into other records than we did, which is a bug here.
    """
    text = _read_text(block, fields, rules)
    cells = [
        _cells(column, spec, nulls, rules)
        for column, spec, nulls in zip(text.columns, rules.columns, rules.own_nulls, strict=True)
    ]
    reasons, culprits = first_reasons(cells, rules.columns, rules.needs)
    batch = pa.RecordBatch.from_arrays(
        [c.values for c in cells], schema=arrow_schema(rules.columns)
    )
    if not reasons.any() and len(text.records) == len(block):
        return Block(len(block), batch, block.lines_of(text.records), ())
    bad = _bad_rows(block, text, reasons, culprits, rules)
    bad += _bad_records(block, text, fields, rules)
    good = reasons == 0
    rejects = _as_rejects(sorted(bad), block, fields)
    places = block.lines_of(text.records[good])
    return Block(len(block), batch.filter(pa.array(good)), places, rejects)


def _cells(text: pa.Array, column: Column, nulls: tuple[str, ...], rules: Rules) -> Cells:
    read = NumberFormat(rules.decimal, rules.thousands).read
    if column.is_list:
        return lists.of_text(text, column, rules.list_separator, nulls, trim=rules.trim, read=read)
    return read(text, column)


def _read_text(block: Records, fields: Fields, rules: Rules) -> _Text:
    only_records = block.closed.all() and not rules.dialect.comment
    data = block.data if only_records else block.closed_records()
    closed = np.flatnonzero(block.closed)
    wrong: list[tuple[int, int]] = []

    def note(row: pv.InvalidRow) -> str:
        wrong.append((row.number - 1, row.actual_columns))
        return "skip"

    table = _read_csv(_as_utf8(data), note, fields, rules)
    if table.num_rows + len(wrong) != closed.size:
        raise DataError(
            f"{closed.size} records were read as {table.num_rows + len(wrong)}",
            where=f"{fields.path}:{block.line}",
            remedy="this is a bug in skewless, not in the data: please report it",
        )
    columns = [c.chunk(0) if c.num_chunks == 1 else c.combine_chunks() for c in table.columns]
    return _Text(
        columns=[
            _cleaned(column, nulls, rules)
            for column, nulls in zip(columns, rules.own_nulls, strict=True)
        ],
        records=np.delete(closed, [row for row, _ in wrong]),
        field_counts={int(closed[row]): count for row, count in wrong},
    )


def _cleaned(text: pa.Array, nulls: tuple[str, ...], rules: Rules) -> pa.Array:
    """Return text without spaces around it, and null where it means missing, as Arrow left it."""
    if rules.trim:
        return with_nulls(trimmed(text), nulls)
    return text if nulls == rules.null_values else with_nulls(text, nulls)


def _read_csv(data: bytes, note: object, fields: Fields, rules: Rules) -> pa.Table:
    """Let Arrow split the text; columns are named by position, because names may repeat."""
    names = [str(i) for i in range(fields.count)]
    selected = [names[i] for i in fields.positions]
    if not data:
        return pa.table([pa.array([], pa.string())] * len(selected), names=selected)
    keep_pyarrow_off_the_heap()
    if data.startswith(_BOM):  # a value's, which Arrow would drop; the file's own is not here
        data = _BOM + data
    return pv.read_csv(
        pa.py_buffer(data),
        # a single block and thread: only then does Arrow know the number of an invalid row
        pv.ReadOptions(column_names=names, block_size=len(data) + 1, use_threads=False),
        pv.ParseOptions(
            delimiter=rules.dialect.delimiter.decode(),
            newlines_in_values=True,
            invalid_row_handler=note,
        ),
        pv.ConvertOptions(
            column_types=dict.fromkeys(selected, pa.string()),
            include_columns=selected,
            null_values=list(rules.null_values),
            strings_can_be_null=True,
            check_utf8=False,  # `_as_utf8` has replaced invalid bytes
        ),
    )


def _as_utf8(data: bytes) -> bytes:
    """Replace each byte that is not UTF-8 by NUL: such values are rejected in both cases."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogateescape")
        return re.sub("[\udc80-\udcff]", "\0", text).encode("utf-8")
    return data


# A record, the reason for its rejection, the column's name and its value.
_Bad = tuple[int, RejectReason, str, str]


def _bad_rows(
    block: Records, text: _Text, reasons: np.ndarray, culprits: np.ndarray, rules: Rules
) -> list[_Bad]:
    """Return records in which a value is wrong."""
    bad: list[_Bad] = []
    for row in np.flatnonzero(reasons).tolist():
        record, reason = int(text.records[row]), RejectReason(int(reasons[row]))
        value = text.columns[culprits[row]][row].as_py() or ""
        if reason is RejectReason.CONTAINS_NUL and not _is_utf8(block.record(record)):
            reason, value = RejectReason.NOT_UTF8, value.replace("\0", "\ufffd")
        bad.append((record, reason, rules.columns[culprits[row]].name, value))
    return bad


def _bad_records(block: Records, text: _Text, fields: Fields, rules: Rules) -> list[_Bad]:
    """Return records that could not be split into values."""
    names = "source.names" if rules.names else "the header"
    return [
        (
            record,
            RejectReason.WRONG_FIELD_COUNT,
            "",
            f"{count} fields; {names} has {fields.count}",
        )
        for record, count in text.field_counts.items()
    ] + [(r, RejectReason.UNCLOSED_QUOTE, "", "") for r in np.flatnonzero(~block.closed).tolist()]


def _as_rejects(bad: Sequence[_Bad], block: Records, fields: Fields) -> tuple[Reject, ...]:
    lines = block.lines_of(np.array([record for record, *_ in bad], np.int64)).tolist()
    return tuple(
        Reject(fields.path, line, column or None, value or None, reason, block.record(record))
        for line, (record, reason, column, value) in zip(lines, bad, strict=True)
    )


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
