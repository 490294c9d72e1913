"""Reads lines of JSON one by one: any bytes are a row, or a reject with its reason."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

from components.sources.json_columns import of_values
from components.sources.json_fields import NoObject, Repeated, find
from components.sources.json_records import encodable, loads
from components.sources.jsonl_lines import Lines
from components.sources.jsonl_rows import JsonRows, JsonRules
from components.sources.rejects import Reject, RejectReason


def exact_rows(
    lines: Lines, at: np.ndarray, path: str, rules: JsonRules
) -> tuple[JsonRows, tuple[Reject, ...]]:
    """Read lines one by one.

    Args:
      lines: consecutive lines.
      at: the positions of those to read, int64.
      path: their file.
      rules: the rules.

    Returns:
      The rows, and the rejects in order.
    """
    fields = rules.fields
    records, good, rejects = [], [], []
    for position in at.tolist():
        record = _record(lines.record(position))
        if isinstance(record, RejectReason):
            rejects.append(_reject(lines, position, path, None, None, record))
        else:
            records.append(record)
            good.append(position)
    values = [[find(record, field) for record in records] for field in fields]
    cells = [of_values(v, f, rules.options) for v, f in zip(values, fields, strict=True)]
    reasons, culprits = rules.first_reasons(cells)
    for row in np.flatnonzero(reasons).tolist():
        column, value = fields[culprits[row]].column.name, values[culprits[row]][row]
        reason = RejectReason(int(reasons[row]))
        rejects.append(_reject(lines, good[row], path, column, _shown(value), reason))
    batch = pa.RecordBatch.from_arrays([c.values for c in cells], schema=rules.schema)
    fits = reasons == 0
    rows = JsonRows(np.array(good, np.int64)[fits], batch.filter(pa.array(fits)))
    return rows, tuple(sorted(rejects, key=lambda reject: reject.line))


def _record(line: bytes) -> dict[str, Any] | RejectReason:
    try:
        value = loads(line)
    except UnicodeDecodeError:
        return RejectReason.NOT_UTF8
    except (ValueError, RecursionError):
        return RejectReason.NOT_JSON
    return value if isinstance(value, dict) else RejectReason.NOT_AN_OBJECT


def _reject(
    lines: Lines,
    position: int,
    path: str,
    column: str | None,
    value: str | None,
    reason: RejectReason,
) -> Reject:
    return Reject(path, int(lines.numbers[position]), column, value, reason, lines.record(position))


def _shown(value: Any) -> str | None:
    """Return a wrong value as text; None if it is missing, or nested too deeply to write."""
    if isinstance(value, NoObject):
        value = value.value
    if value is None or value == "" or isinstance(value, Repeated):
        return None
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return None
    return encodable(text)
