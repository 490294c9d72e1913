"""Parses lines of JSON by pyarrow, a column at a time, where the result is certain.

It is certain if `jsonl_exact` would have the same. Lines that pyarrow refuses are left to it, and
so are rows that may be rejects.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json as pj

from components.sources.json_columns import arrow_type, of_arrow_json
from components.sources.json_fields import JsonField
from components.sources.jsonl_lines import Lines
from components.sources.jsonl_rows import JsonRows, JsonRules
from components.sources.jsonl_simple import simple_lines

_MAX_ROWS = 50_000  # of one call of pyarrow, which reads fewer than 100,000
_PARTS, _FEW = 16, 512  # lines that pyarrow refuses are divided into parts, down to so few lines
_END = b"{}\n"  # where pyarrow stops at a stray bracket without an error, this row is missing


def certain_rows(lines: Lines, rules: JsonRules) -> list[JsonRows]:
    """Return the rows whose values are certain, in the order of their lines."""
    schema = read_schema(rules)
    if schema is None:
        return []
    simple = simple_lines(lines)
    data = _without(lines, ~simple)
    return list(_parsed(lines, data, simple, range(len(lines)), schema, rules))


def read_schema(rules: JsonRules) -> pa.Schema | None:
    """Return the schema by which pyarrow reads objects; None if it cannot read a column.

    A column `a.b` is there twice: as the key `a.b`, and in the object `a`.
    """
    tree: dict[str, Any] = {}
    fields = rules.fields
    for field, seen in zip(fields, rules.seen or (type(None),) * len(fields), strict=True):
        name, kind = field.column.name, arrow_type(field, seen)
        if kind is None or tree.setdefault(name, kind) != kind:
            return None
        inner = tree
        for key in field.path[:-1]:
            inner = inner.setdefault(key, {})
        if field.path:
            inner[field.path[-1]] = kind
    return pa.schema(_arrow_fields(tree))


def _arrow_fields(tree: dict[str, Any]) -> list[pa.Field]:
    return [
        pa.field(name, pa.struct(_arrow_fields(kind)) if isinstance(kind, dict) else kind)
        for name, kind in tree.items()
    ]


def _without(lines: Lines, out: np.ndarray) -> bytes:
    """Return the bytes with spaces in place of some lines."""
    if not out.any():
        return lines.data
    data = bytearray(lines.data)
    for start, end in zip(lines.starts[out].tolist(), lines.ends[out].tolist(), strict=True):
        data[start:end] = b" " * (end - start)
    return bytes(data)


def _parsed(
    lines: Lines,
    data: bytes,
    simple: np.ndarray,
    part: range,
    schema: pa.Schema,
    rules: JsonRules,
) -> Iterator[JsonRows]:
    """Yield the rows of simple lines that pyarrow parses, and whose values are certain."""
    at = np.flatnonzero(simple[part.start : part.stop]) + part.start
    if not at.size:
        return
    table = None
    if len(at) <= _MAX_ROWS:
        text = data[lines.starts[part.start] : lines.ends[part.stop - 1]] + b"\n" + _END
        table = _read(text, len(at) + 1, schema)
    if table is not None:
        yield _certain(at, table.slice(0, len(at)), rules)
    elif len(part) > _FEW:
        step = -(-len(part) // _PARTS)
        for start in range(part.start, part.stop, step):
            smaller = range(start, min(start + step, part.stop))
            yield from _parsed(lines, data, simple, smaller, schema, rules)


def _read(text: bytes, rows: int, schema: pa.Schema) -> pa.Table | None:
    """Return the objects in a text, or None if pyarrow does not read them all."""
    try:
        table = pj.read_json(
            pa.py_buffer(text),
            pj.ReadOptions(use_threads=False, block_size=len(text) + 1),
            pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
    except pa.ArrowInvalid:
        return None
    return table if table.num_rows == rows else None


def _certain(at: np.ndarray, table: pa.Table, rules: JsonRules) -> JsonRows:
    """Convert the columns, and leave out rows that have an uncertain value or are rejects."""
    cells = [of_arrow_json(_array(table, field), field, rules.options) for field in rules.fields]
    columns = pa.RecordBatch.from_arrays([c.values for c in cells], schema=rules.schema)
    reasons, _ = rules.first_reasons(cells)
    if not reasons.any():
        return JsonRows(at, columns)
    good = reasons == 0
    return JsonRows(at[good], columns.filter(pa.array(good)))


def _array(table: pa.Table, field: JsonField) -> pa.Array:
    """Return a column's values: by its name, else by its path."""
    array = _chunk(table, field.column.name)
    if not field.path or not array.null_count:
        return array
    outer, *path = field.path
    inner = _chunk(table, outer)
    for key in path:
        inner = inner.flatten()[inner.type.get_field_index(key)]
    if array.null_count == len(array):
        return inner
    rows = np.arange(len(array))
    chosen = np.where(np.asarray(array.is_valid()), rows, rows + len(array))
    # not fill_null: it is akin to pc.if_else, whose texts of slices are wrong in pyarrow 18.1
    return pa.concat_arrays([array, inner]).take(pa.array(chosen))


def _chunk(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
