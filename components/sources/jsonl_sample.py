"""Reads the first objects of a file of JSON lines as a table, with the types that values show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from components.sources.byte_source import ByteSource
from components.sources.json_records import encodable
from components.sources.jsonl_head import objects
from components.sources.jsonl_lines import TEXT, read_lines
from schemas.errors import DataError

_BLOCK_BYTES = 1 << 20
_DEEPEST = 8  # objects within objects, whose keys are columns
# Rows times keys of a block. It is more only if next to no object has most of the keys, and a table
# of them would be far larger than the file.
_MOST_CELLS = 20_000_000


def sample_lines(path: str, rows: int) -> tuple[pa.Table, bool]:
    """Return about the first rows of a file, and whether these are all.

    A nested object's values are columns with dotted names. Of a column with values of several
    types, those of the rarer ones are missing, as a run rejects them.

    Raises:
      DataError: the file cannot be read, or its objects have no keys in common.
    """
    tables: list[pa.Table] = []
    names: set[str] = set()
    read = 0
    with ByteSource(path, TEXT) as source:
        for lines in read_lines(source, block_bytes=_BLOCK_BYTES):
            tables.append(_table(objects(lines), path))
            names.update(tables[-1].column_names)
            read += len(lines)
            _check_cells(len(names), read / len(tables), path)
            if read > rows:
                return _joined(tables).slice(0, rows), False
    return _joined(tables), True


def _check_cells(names: int, rows: float, path: str) -> None:
    if names * rows > _MOST_CELLS:
        raise DataError(
            f"the objects have {names:,} different keys or more, most of them in few objects",
            where=path,
            expected="the same keys in most objects, which are the columns",
            remedy='write keys that differ as values, such as {"keys": ["a", "b"]}',
        )


def _table(records: Sequence[Mapping[str, Any]], path: str) -> pa.Table:
    columns: dict[str, list[Any]] = {}
    for row, record in enumerate(records):
        for name, value in _flat(record, ""):
            values = columns.setdefault(encodable(name), [None] * len(records))
            if values[row] is None:
                values[row] = value
        _check_cells(len(columns), len(records), path)
    return pa.table({name: array_of_most(values) for name, values in columns.items()})


def _flat(record: Mapping[str, Any], outer: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield names and values: keys that are dotted names first, as they go before paths."""
    inner = []
    for key, value in record.items():
        if not isinstance(value, dict):
            yield outer + key, value
        elif depth < _DEEPEST:
            inner.append((f"{outer}{key}.", value))
    for name, value in inner:
        yield from _flat(value, name, depth + 1)


def array_of_most(values: Sequence[Any]) -> pa.Array:
    """Return values as those of one type, that of most of them; the others become null."""
    families = Counter(_family(value) for value in values if value is not None)
    (family, _), *others = families.most_common() or [("", 0)]
    if others:
        values = [value if _family(value) == family else None for value in values]
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError, UnicodeError):
        # half of a surrogate pair, a number beyond 64 bits, or a list of several types
        return pa.nulls(len(values))


def _family(value: Any) -> str:
    """Return JSON's type of a value, as far as Arrow's types differ."""
    return "number" if type(value) in (int, float) else type(value).__name__


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Join tables whose columns may be absent, or have other types."""
    names = dict.fromkeys(name for table in tables for name in table.column_names if name)
    columns = {name: _column(tables, name) for name in names}
    for name in names:
        nested = any(other.startswith(f"{name}.") for other in names)
        if nested and columns[name].null_count == len(columns[name]):  # a missing object
            del columns[name]
    return pa.table(columns)


def _column(tables: Sequence[pa.Table], name: str) -> pa.ChunkedArray:
    parts = [
        table[name].combine_chunks() if name in table.column_names else pa.nulls(table.num_rows)
        for table in tables
    ]
    values: Counter[pa.DataType] = Counter()
    for part in parts:
        values[_wide(part.type)] += len(part) - part.null_count
    (widest, _), *_ = values.most_common()
    same = {part.type for part in parts if _wide(part.type) == widest}
    kept = same.pop() if len(same) == 1 else widest
    chunks = [
        part.cast(kept, safe=False) if _wide(part.type) == widest else pa.nulls(len(part), kept)
        for part in parts
    ]
    return pa.chunked_array(chunks, kept)


def _wide(arrow: pa.DataType) -> pa.DataType:
    """Return doubles for numbers, also in lists: the type to which several can be cast."""
    if pa.types.is_list(arrow):
        return pa.list_(_wide(arrow.value_type))
    is_number = pa.types.is_integer(arrow) or pa.types.is_floating(arrow)
    return pa.float64() if is_number else arrow
