"""Options of tables in BigQuery."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import Field

from schemas.sources.options import SourceOptions
from schemas.strict import written_as

SCHEME = "bigquery://"


class BigQuery(SourceOptions):
    """A table of BigQuery, or the result of a query; `null_values` and `trim` apply to text.

    A column is a field of the table. A name with dots is a path into nested records: `a.b` is the
    field `b` of the record `a`. Credentials are Google's default ones, wherever rows are read.
    """

    format: Literal["bigquery"] = "bigquery"
    table: (
        Annotated[
            str,
            written_as(
                r"[a-z][a-z0-9:.-]*\.\w+\.[\w -]+",
                "a table with its project and dataset, such as my-project.sales.trips",
            ),
        ]
        | None
    ) = None
    query: Annotated[str, Field(min_length=1)] | None = None  # in GoogleSQL
    project: str | None = None  # that pays; by default, the one of the credentials
    location: str | None = None  # where a query runs
    row_restriction: str | None = None  # a condition on the rows of a table, in SQL
    read_streams: Annotated[int, Field(ge=1, le=1_000)] = 1  # at most, each of which a worker reads

    @pydantic.model_validator(mode="after")
    def _complete(self) -> BigQuery:
        if (self.table is None) == (self.query is None):
            raise ValueError("expected either a table, such as project.dataset.table, or a query")
        if self.table is None and self.row_restriction is not None:
            raise ValueError("row_restriction is for a table; write WHERE in the query")
        if self.query is None and self.location is not None:
            raise ValueError("location is for a query; a table is where it is")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """The table's URL, such as `bigquery://project.dataset.table`; a query's has no table."""
        return (SCHEME + (self.table or "query"),)

    @classmethod
    def recognizes(cls, path: str) -> bool:
        """Return whether a text is the URL of a table."""
        return path.startswith(SCHEME)

    @classmethod
    def plain(cls, path: str) -> BigQuery:
        """Return the default options for `bigquery://project.dataset.table`."""
        return cls(table=path.removeprefix(SCHEME))

    @classmethod
    def of_query(cls, url: str, query: str) -> BigQuery:
        """Return the default options for a query, which the project of the URL pays."""
        return cls(query=query, project=url.removeprefix(SCHEME) or None)
