"""Reads serialised tf.Examples as typed rows, or rejects with their reasons.

tfx_bsl decodes a batch by columns if each feature has one type in it. It fails as a whole
otherwise; such a batch is then halved, until few Examples are left, which are read one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

from components.example_proto import Values, features_of
from components.examples import arrow_schema
from components.sources.cells import Cells, first_reasons
from components.sources.example_cells import of_features, of_lists
from components.sources.protocol import Block, Selection
from components.sources.rejects import Reject, RejectReason, as_json
from components.sources.texts import cleaned
from components.sources.tfrecord_head import values_of
from schemas.columns import Column
from schemas.sources.options import SourceOptions

_FEW = 128  # Examples that are read one by one if any of them is unusual
_TFMD = {"DT_INT64": schema_pb2.INT, "DT_FLOAT": schema_pb2.FLOAT, "DT_STRING": schema_pb2.BYTES}


class ExampleRules:
    """The rules by which tf.Examples are rows.

    Args:
      options: the source's.
      selection: the selected columns.
      seen: the type that each of them, and of the keys, has in most Examples; empty if unknown.
    """

    def __init__(self, options: SourceOptions, selection: Selection, seen: Sequence[str]) -> None:
        self._options = options
        self._selection = selection
        self._columns = selection.columns + selection.keys
        schema = schema_pb2.Schema()
        for name, dtype in {c.name: s for c, s in zip(self._columns, seen, strict=True)}.items():
            schema.feature.add(name=name, type=_TFMD.get(dtype, schema_pb2.BYTES))
        self._schema = schema.SerializeToString()
        self._decoder = ExamplesToRecordBatchDecoder(self._schema)

    def blocks(self, records: Sequence[bytes], path: str, first: int) -> Iterator[Block]:
        """Read consecutive records, of which the first has the number `first`."""
        cells = self._by_columns(records)
        if cells is None and len(records) > _FEW:
            half = len(records) // 2
            yield from self.blocks(records[:half], path, first)
            yield from self.blocks(records[half:], path, first + half)
        else:
            yield self._block(records, cells, path, first)

    def _block(
        self, records: Sequence[bytes], cells: list[Cells] | None, path: str, first: int
    ) -> Block:
        rejects: list[Reject] = []
        at = np.arange(len(records))
        if cells is None:
            examples = [features_of(record) for record in records]
            rejects += [
                Reject(path, first + i, None, None, RejectReason.NOT_AN_EXAMPLE, records[i])
                for i, example in enumerate(examples)
                if example is None
            ]
            at = np.array([i for i, e in enumerate(examples) if e is not None], np.int64)
            cells = self._one_by_one([e for e in examples if e is not None])
        reasons, culprits = first_reasons(cells, self._columns, self._selection.needs)
        for row in np.flatnonzero(reasons).tolist():
            name, reason = self._columns[culprits[row]].name, RejectReason(int(reasons[row]))
            rejects.append(_reject(records[at[row]], path, first + int(at[row]), name, reason))
        good = reasons == 0
        rows = pa.RecordBatch.from_arrays(
            [each.values for each in cells], schema=arrow_schema(self._columns)
        )
        rejects.sort(key=lambda reject: reject.line)
        return Block(len(records), rows.filter(pa.array(good)), first + at[good], tuple(rejects))

    def _by_columns(self, records: Sequence[bytes]) -> list[Cells] | None:
        try:
            batch = self._decoder.DecodeBatch(list(records))
        except (RuntimeError, ValueError):  # a record is not an Example, or has another type
            # the old one keeps what it had read
            self._decoder = ExamplesToRecordBatchDecoder(self._schema)
            return None
        return [
            of_lists(
                batch.column(column.name), column, self._cleaned(column, is_key), lenient=lenient
            )
            for column, is_key, lenient in self._fields()
        ]

    def _one_by_one(self, examples: Sequence[Mapping[str, Values]]) -> list[Cells]:
        return [
            of_features(
                [example.get(column.name) for example in examples],
                column,
                self._cleaned(column, is_key),
                lenient=lenient,
            )
            for column, is_key, lenient in self._fields()
        ]

    def _fields(self) -> list[tuple[Column, bool, bool]]:
        """Return each column, whether it is a key, and whether numbers in it count as text."""
        count = len(self._selection.columns)
        return [
            (column, number >= count, number >= count and column.type.json == (str,))
            for number, column in enumerate(self._columns)
        ]

    def _cleaned(self, column: Column, is_key: bool) -> Any:
        """Return what is done to a column's text; a key stays as it is."""
        if is_key:
            return None
        trim, nulls = self._options.trim, self._options.nulls_of(column.name)
        return lambda texts: cleaned(texts, nulls, trim=trim)


def _reject(record: bytes, path: str, line: int, name: str, reason: RejectReason) -> Reject:
    shown = values_of(record)
    values = shown.get(name, [])
    value = str(values[0]) if len(values) == 1 else repr(values)
    return Reject(path, line, name, value if values else None, reason, as_json(shown))
