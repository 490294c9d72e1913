"""Google's clients of BigQuery, and what a source asks of them.

Metadata and queries go through the client of BigQuery, rows through that of its Storage Read API.
Both retry what passes, and a broken stream is read on from its offset.
"""

from __future__ import annotations

import contextlib
import functools
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa

from components.arrow_files import read_batch_message, read_schema_message
from schemas.errors import ConfigError, DataError
from schemas.sources.bigquery import SCHEME, BigQuery

_ROWS_OF_THEIR_OWN = ("TABLE", "SNAPSHOT", "CLONE")  # the others change with what they show
_CHANGING = re.compile(r"\b(CURRENT_\w+|RAND|GENERATE_UUID|SESSION_USER)\b", re.IGNORECASE)


@functools.cache
def _import_quietly() -> None:
    """Import Google's clients without their warning about Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import google.cloud.bigquery
        import google.cloud.bigquery_storage_v1  # noqa: F401


class Clients:
    """Makes Google's clients; nothing of them is sent to workers."""

    def bigquery(self, options: BigQuery) -> Any:
        """Return a `google.cloud.bigquery.Client`."""
        from google.cloud import bigquery

        return bigquery.Client(project=options.project, location=options.location)

    def read(self) -> Any:
        """Return a `google.cloud.bigquery_storage_v1.BigQueryReadClient`."""
        from google.cloud import bigquery_storage_v1

        return bigquery_storage_v1.BigQueryReadClient()


@dataclass(frozen=True)
class ReadSession:
    """Rows that are ready to be read.

    Attributes:
      schema: Arrow's, of the batches.
      streams: the names of the streams, each of which has some of the rows.
      rows: the approximate number of rows.
      bytes: their approximate size.
    """

    schema: pa.Schema
    streams: tuple[str, ...]
    rows: float
    bytes: float


class BigQueryTable:
    """A table, or the result of a query, which runs when its rows are asked for."""

    def __init__(self, options: BigQuery, path: str, clients: Clients) -> None:
        table = path.removeprefix(SCHEME)
        self._name = table if table.count(".") >= 2 else None
        self._options, self._clients = options, clients
        self._client = clients.bigquery(options)

    def fields(self) -> Sequence[Any]:
        """Return the `SchemaField`s; a query is only planned.

        Raises:
          DataError: the table has no rows of its own, such as a view.
        """
        if self._name is None:
            return tuple(self._planned().schema)
        table = self._client.get_table(self._name)
        if table.table_type not in _ROWS_OF_THEIR_OWN:
            raise DataError(
                f"{self._name} is a {table.table_type}, whose rows cannot be read directly",
                expected="a table, a snapshot or a clone",
                remedy=f"write query: SELECT * FROM `{self._name}`",  # noqa: S608
            )
        return tuple(table.schema)

    def version(self) -> str:
        """Return when the tables were changed last; a new text if that says nothing."""
        unknown = f"read at {datetime.now(timezone.utc).isoformat()}"
        if _CHANGING.search(self._options.query or self._options.row_restriction or ""):
            return unknown
        names = [self._name] if self._name else list(self._planned().referenced_tables)
        tables = [self._client.get_table(name) for name in names]
        for table in tables:
            if table.table_type not in _ROWS_OF_THEIR_OWN or table.streaming_buffer is not None:
                return unknown
        return " ".join(
            f"{table.full_table_id} {table.modified.isoformat()} {table.num_rows} {table.etag}"
            for table in tables
        )

    def session(self, names: Sequence[str], streams: int) -> ReadSession:
        """Prepare the columns of these names for reading."""
        from google.cloud.bigquery_storage_v1 import types

        wanted = types.ReadSession(
            table=self._resource(),
            data_format=types.DataFormat.ARROW,
            read_options=types.ReadSession.TableReadOptions(
                selected_fields=list(names), row_restriction=self._options.row_restriction or ""
            ),
        )
        made = self._clients.read().create_read_session(
            parent=f"projects/{self._client.project}",
            read_session=wanted,
            max_stream_count=streams,
        )
        return ReadSession(
            schema=read_schema_message(made.arrow_schema.serialized_schema, wanted.table),
            streams=tuple(stream.name for stream in made.streams),
            rows=made.estimated_row_count,
            bytes=made.estimated_total_bytes_scanned,
        )

    def _planned(self) -> Any:
        """Return the job of the query, which is checked and not run."""
        from google.cloud.bigquery import QueryJobConfig

        return self._client.query(
            self._options.query, job_config=QueryJobConfig(dry_run=True, use_query_cache=False)
        )

    def _resource(self) -> str:
        """Return the table's name for the Read API; a query's rows are in a temporary table."""
        if self._name is not None:
            project, dataset, table = self._name.rsplit(".", 2)
            return f"projects/{project}/datasets/{dataset}/tables/{table}"
        job = self._client.query(self._options.query)
        job.result()
        found = job.destination
        return f"projects/{found.project}/datasets/{found.dataset_id}/tables/{found.table_id}"


def batches(stream: str, schema: pa.Schema, clients: Clients) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a stream."""
    for response in clients.read().read_rows(stream):
        message = response.arrow_record_batch.serialized_record_batch
        yield read_batch_message(message, schema)


@contextlib.contextmanager
def readable(where: str) -> Iterator[None]:
    """Turn exceptions of Google's clients into readable errors.

    Raises:
      ConfigError: there are no credentials, or no project that pays.
      DataError: BigQuery refuses.
    """
    _import_quietly()
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except GoogleAPIError as error:
        raise DataError(
            f"BigQuery refuses: {getattr(error, 'message', None) or error}",
            where=where,
            expected="a table or a query that these credentials may read",
            remedy="correct source.table or query in pipeline.yaml, or ask for"
            " roles/bigquery.dataViewer, bigquery.jobUser and bigquery.readSessionUser",
        ) from error
    except (GoogleAuthError, OSError) as error:
        raise ConfigError(
            f"BigQuery cannot be asked: {error}",
            where=where,
            expected="Google's default credentials, and a project that pays",
            remedy="run gcloud auth application-default login, and set source.project",
        ) from error
