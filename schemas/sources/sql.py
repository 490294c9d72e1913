"""Options of tables in databases."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.secrets import is_secret
from schemas.sources.options import SourceOptions

MYSQL = ("mysql", "mariadb")
_SERVERS = ("postgresql", "postgres", *MYSQL)
_FILES = ("sqlite", "duckdb")
_EXAMPLES = (
    "postgresql://host/database, mysql://host/database, sqlite:///file.db or duckdb:///file.duckdb"
)
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class Sql(SourceOptions):
    """A table of a database, or the result of a query; `null_values` and `trim` apply to text.

    `url` is `postgresql://user@host/database`, `mysql://user@host/database`, `sqlite:///file.db` or
    `duckdb:///file.duckdb`; relative files are relative to the folder of pipeline.yaml, and a
    fourth slash begins an absolute path. A password is `${VARIABLE}`, which is read from the
    environment wherever rows are read.
    """

    schemes: ClassVar[tuple[str, ...]] = (*_SERVERS, *_FILES)

    format: Literal["sql"] = "sql"
    url: str
    table: Annotated[str, Field(min_length=1)] | None = None
    query: Annotated[str, Field(min_length=1)] | None = None
    partition_by: str | None = None  # a column of whole numbers, whose ranges are read in parallel
    parts: Annotated[int, Field(ge=1, le=1_000)] = 1  # how many ranges
    version: str | None = None  # a column whose greatest value changes whenever the rows do

    @property
    def paths(self) -> tuple[str, ...]:
        """The table's URL, such as `sqlite:///trips.db#trips`; a query's has no `#`."""
        return (self.url if self.table is None else f"{self.url}#{self.table}",)

    @classmethod
    def recognizes(cls, path: str) -> bool:
        """Return whether a text is the URL of a database."""
        return path.partition("://")[0] in cls.schemes

    @classmethod
    def plain(cls, path: str) -> Sql:
        """Return the default options for `URL#TABLE`."""
        url, _, table = path.partition("#")
        return cls.model_validate({"url": url, "table": table or None})

    @classmethod
    def of_query(cls, url: str, query: str) -> Sql:
        """Return the default options for a query to a database."""
        return cls.model_validate({"url": url, "query": query})

    @property
    def read_always(self) -> str:
        """That a server does not say whether a table is the same, if no column does."""
        if self.version is not None or file_of(self.url) is not None:
            return ""
        return (
            "each run reads all rows again and does all of its stages, as a server does not say"
            " whether a table has changed; name a column that grows with each change, such as"
            " source.version: updated_at"
        )

    def moved(self, relative: Callable[[str], str]) -> Sql:
        """Return the same with another path of its file, if it has one."""
        if (file := file_of(self.url)) is None:
            return self
        scheme = self.url.partition("://")[0]
        url = f"{scheme}:///{urllib.parse.quote(relative(file))}"
        return self.model_copy(update={"url": url})

    @pydantic.field_validator("url")
    @classmethod
    def _readable(cls, url: str) -> str:
        scheme, _, rest = url.partition("://")
        if scheme not in cls.schemes:
            raise ValueError(f"expected a database's URL: {_EXAMPLES}")
        if scheme in _FILES and not (rest.startswith("/") and rest.strip("/")):
            raise ValueError(f"expected three slashes and a file, such as {scheme}:///trips.db")
        if "#" in url:
            raise ValueError("the URL has a #; name the table in `table`, and write %23 for #")
        _refuse_passwords(url)
        return url

    @pydantic.model_validator(mode="after")
    def _complete(self) -> Sql:
        if (self.table is None) == (self.query is None):
            raise ValueError("expected either a table, such as URL#TABLE or `table`, or a `query`")
        if (self.partition_by is None) != (self.parts == 1):
            raise ValueError("partition_by needs parts: how many ranges of it are read, 2 or more")
        if self.version is not None and self.url.startswith(_FILES):
            raise ValueError("version has no effect: a database in a file counts by what it holds")
        return self


def file_of(url: str) -> str | None:
    """Return the file of a database's URL; None if it is a server.

    >>> file_of("sqlite:///a%20b.db"), file_of("duckdb:////data/a"), file_of("postgresql://h/a")
    ('a b.db', '/data/a', None)
    """
    scheme, _, rest = url.partition(":///")
    return urllib.parse.unquote(rest.partition("#")[0]) if scheme in _FILES else None


def resolved(path: str, folder: Path) -> str:
    """Return the URL of a table with an absolute file, if it has one.

    >>> resolved("sqlite:///trips.db#trips", Path("/data"))
    'sqlite:////data/trips.db#trips'
    """
    scheme, slashes, rest = path.partition(":///")
    if not slashes or scheme not in _FILES or rest.startswith("/"):
        return path
    return f"{scheme}:///{urllib.parse.quote(str(folder))}/{rest}"


def expanded(text: str, environment: Mapping[str, str]) -> str:
    """Return a URL with its `${VARIABLE}`s.

    Raises:
      KeyError: the environment has no such variable.
    """
    return _VARIABLE.sub(lambda m: urllib.parse.quote(environment[m[1]], safe=""), text)


def _refuse_passwords(url: str) -> None:
    """Refuse a URL that has a password in it, which would end up in records of runs."""
    parts = urllib.parse.urlsplit(url)
    options = urllib.parse.parse_qsl(parts.query)
    secrets = [parts.password or "", *(value for name, value in options if is_secret(name))]
    if any(text and not _VARIABLE.fullmatch(text) for text in secrets):
        raise ValueError(
            "the URL has a password; write ${VARIABLE}, and set the variable wherever rows are"
            " read, or keep the password in PGPASSWORD or in ~/.pgpass"
        )
