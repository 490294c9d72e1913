"""The kinds of sources of rows, each with its options: `source:` in pipeline.yaml.

A kind is three things: a file here with its options, a file of the same name in components/sources
with its implementation, and its class in `KINDS`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Union

import pydantic

from schemas.errors import ConfigError
from schemas.sources.arrow import Arrow
from schemas.sources.avro import Avro
from schemas.sources.bigquery import BigQuery
from schemas.sources.csv import Csv
from schemas.sources.jsonl import JsonLines
from schemas.sources.options import SourceOptions
from schemas.sources.orc import Orc
from schemas.sources.parquet import Parquet
from schemas.sources.sql import Sql
from schemas.sources.tfrecord import TfRecord
from schemas.strict import named_kind
from schemas.strict import plain as in_words

KINDS = (Csv, Parquet, JsonLines, Arrow, Orc, Avro, TfRecord, Sql, BigQuery)

_FORMAT = "format"
FORMATS: tuple[str, ...] = tuple(kind.model_fields[_FORMAT].default for kind in KINDS)


def _with_format(value: Any) -> Any:
    return named_kind(value, _FORMAT, KINDS, what=_FORMAT)


if TYPE_CHECKING:
    Source = SourceOptions
else:
    Source = Annotated[
        Union[KINDS],  # noqa: UP007 - of a tuple
        pydantic.Discriminator(_FORMAT),
        pydantic.BeforeValidator(_with_format),
    ]

_ADAPTER: pydantic.TypeAdapter[SourceOptions] = pydantic.TypeAdapter(Source)


def loads(text: str) -> SourceOptions:
    """Parse a source's options from the JSON of `model_dump_json`."""
    return _ADAPTER.validate_json(text)


def plain(path: str) -> SourceOptions:
    """Return the default options of the kind that a file's ending or a URL means.

    What no kind recognizes is a CSV file.

    Raises:
      ConfigError: the URL is not one that can be read.

    >>> plain("trips.parquet").format, plain("a.jsonl.gz").format, plain("trips.txt.gz").format
    ('parquet', 'jsonl', 'csv')
    """
    with _as_config_error(path):
        return _kind_of(path).plain(path)


def of_query(url: str, query: str) -> SourceOptions:
    """Return the options of a query to the database with this URL.

    Raises:
      ConfigError: the URL is not that of a database, or has a table, too.
    """
    kind = _kind_of(url)
    if not issubclass(kind, (Sql, BigQuery)):
        raise ConfigError(
            "a query is given without a database",
            where=url,
            expected="a database's URL, such as sqlite:///trips.db or bigquery://project",
        )
    with _as_config_error(url):
        return kind.of_query(url, query)


def _kind_of(path: str) -> type[SourceOptions]:
    return next((kind for kind in KINDS if kind.recognizes(path)), Csv)


@contextlib.contextmanager
def _as_config_error(path: str) -> Iterator[None]:
    try:
        yield
    except pydantic.ValidationError as error:
        raise ConfigError(
            "; ".join(in_words(each) for each in error.errors()), where=path
        ) from None
