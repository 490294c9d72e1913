"""Reads tables of BigQuery, and results of queries; a row's place is its number in its stream.

Rows arrive as Arrow batches of the columns that are asked for, in as many streams as
`read_streams` allows. Nothing but the columns' types is looked at before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from components.sources import nested, protocol
from components.sources.bigquery_client import BigQueryTable, Clients, batches, readable
from components.sources.protocol import Block, Selection
from components.sources.typed_checks import check_columns
from components.sources.typed_rows import TypedPart, TypedRows
from schemas.errors import DataError
from schemas.sources.bigquery import BigQuery

HAS_TYPES = True
_SQL_NAMES = {"DOUBLE": "FLOAT64", "VARCHAR": "STRING"}

# The Arrow types of the Storage Read API, by those of the table in lower case.
_ARROW: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "bytes": pa.binary(),
    "integer": pa.int64(),
    "int64": pa.int64(),
    "float": pa.float64(),
    "float64": pa.float64(),
    "numeric": pa.decimal128(38, 9),
    "bignumeric": pa.decimal256(76, 38),
    "boolean": pa.bool_(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", "UTC"),
    "datetime": pa.timestamp("us"),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "json": pa.string(),
    "geography": pa.string(),
}
_RECORDS = ("record", "struct")


@dataclass(frozen=True)
class BigQueryPart(TypedPart):
    """Rows of a stream.

    Attributes:
      stream: its name; None for a table without rows.
      schema: of its batches.
    """

    stream: str | None
    schema: pa.Schema


class Reader(TypedRows[BigQueryPart], protocol.TableReader[BigQueryPart]):
    """Reads tables and results of queries.

    Args:
      options: the table or query.
      selection: the columns.
      clients: makes the clients of BigQuery.
    """

    def __init__(
        self, options: BigQuery, selection: Selection, clients: Clients | None = None
    ) -> None:
        super().__init__(options, selection)
        self._table_options, self._clients = options, clients or Clients()

    def check(self, path: str) -> None:
        """Check that the table or query has the columns; costs nothing, and reads no rows."""
        with readable(path):
            self._columns(self._table(path), path)

    def files(self, path: str) -> list[str]:
        """Return nothing: the table is elsewhere."""
        del path
        return []

    def version(self, path: str) -> str:
        """Return when the table, or those of the query, were changed last."""
        with readable(path):
            return self._table(path).version()

    def parts(self, path: str) -> list[BigQueryPart]:
        """Return the streams of a new read session; a query is run."""
        with readable(path):
            table = self._table(path)
            known = self._columns(table, path)
            session = table.session(self._names(), self._table_options.read_streams)
            empty = pa.RecordBatch.from_pylist([], session.schema)
            arriving = nested.taken(empty, self._names()).schema
            check_columns(arriving, self._selection, where=path, what="table")
        count = max(len(session.streams), 1)
        tops = {name.partition(".")[0] for name in self._names()}
        return [
            BigQueryPart(
                path=path if count == 1 else f"{path} stream {number}",
                ignored=tuple(n for n in known.names if "." not in n and n not in tops),
                rows=session.rows / count,
                text_bytes=session.bytes / count,
                key_types=pa.schema([arriving.field(key.name) for key in self._selection.keys]),
                stream=stream,
                schema=session.schema,
            )
            for number, stream in enumerate(session.streams or (None,), start=1)
        ]

    def read(self, part: BigQueryPart) -> Iterator[Block]:
        """Yield the rows of a stream, in its order."""
        if part.stream is None:
            return
        with readable(part.path):
            found = batches(part.stream, part.schema, self._clients)
            yield from self._blocks((nested.taken(batch, self._names()) for batch in found), part)

    def _table(self, path: str) -> BigQueryTable:
        return BigQueryTable(self._table_options, path, self._clients)

    def _columns(self, table: BigQueryTable, path: str) -> pa.Schema:
        """Return the names and types of all columns, after checking those that are read."""
        fields = table.fields()
        for name in self._names():
            _refuse_repeated(name, fields, path)
        known = pa.schema(list(_columns_of(fields)))
        check_columns(known, self._selection, where=path, what="table", sql_names=_SQL_NAMES)
        return known


def _columns_of(fields: Sequence[Any], prefix: str = "") -> Iterator[pa.Field]:
    """Yield the columns of `SchemaField`s, and those inside of records that are not repeated."""
    for field in fields:
        name = prefix + field.name
        yield pa.field(name, _type_of(field))
        if field.field_type.lower() in _RECORDS and field.mode != "REPEATED":
            yield from _columns_of(field.fields, f"{name}.")


def _type_of(field: Any) -> pa.DataType:
    if field.field_type.lower() in _RECORDS:
        kind = pa.struct([pa.field(each.name, _type_of(each)) for each in field.fields])
    else:  # RANGE and INTERVAL are of a type that no column takes
        kind = _ARROW.get(field.field_type.lower(), pa.month_day_nano_interval())
    return pa.list_(kind) if field.mode == "REPEATED" else kind


def _refuse_repeated(name: str, fields: Sequence[Any], where: str) -> None:
    """Refuse a column that is, or is inside of, a repeated record."""
    whole, _, rest = name.partition(".")
    for field in fields:
        if field.name != whole or field.field_type.lower() not in _RECORDS:
            continue
        if field.mode == "REPEATED":
            inner = rest or (field.fields[0].name if field.fields else "…")
            values = f"ARRAY(SELECT each.{inner} FROM UNNEST({whole}) AS each)"  # noqa: S608
            raise DataError(
                f"the column {name!r} is of {whole!r}, a repeated record",
                where=where,
                expected="one value a row, or a list of values that are not records",
                remedy=f"write a query with {values} AS {whole}_{inner.replace('.', '_')}",
            )
        if rest:
            _refuse_repeated(rest, field.fields, where)


def draft(path: str) -> BigQuery:
    """Return the options that a table needs."""
    return BigQuery.plain(path)


def sample(
    options: BigQuery, path: str, rows: int, clients: Clients | None = None
) -> tuple[pa.Table, bool]:
    """Return the first rows of a table or result, and whether these are all.

    Fields of records are columns; repeated records are left out.
    """
    clients = clients or Clients()
    kept: list[pa.RecordBatch] = []
    with readable(path):
        table = BigQueryTable(options, path, clients)
        columns = [each for each in _columns_of(table.fields()) if _is_plain(each.type)]
        names = [each.name for each in columns]
        session = table.session(names, streams=1)
        for stream in session.streams:
            for batch in batches(stream, session.schema, clients):
                kept.append(nested.taken(batch, names))
                if sum(each.num_rows for each in kept) > rows:
                    return pa.Table.from_batches(kept).slice(0, rows), False
    return pa.Table.from_batches(kept, None if kept else pa.schema(columns)), True


def _is_plain(kind: pa.DataType) -> bool:
    """Return whether a column of a type can be one of a table."""
    inner = kind.value_type if pa.types.is_list(kind) else kind
    return inner in _ARROW.values() and not pa.types.is_time(inner)
