"""Options of all kinds of sources: where the rows are, and the meaning of texts."""

from __future__ import annotations

import abc
import datetime
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

import pydantic
from pydantic import Discriminator, Field, Tag

from schemas.columns import SPACES
from schemas.spans import check as check_spans
from schemas.spans import has_spans
from schemas.strict import Strict

_EVERY = ""  # stands for all columns


def _form(value: Any) -> str:
    return "by column" if isinstance(value, dict) else "list"


NullValues = Annotated[
    Annotated[tuple[str, ...], Tag("list")]
    | Annotated[dict[str, tuple[str, ...]], Tag("by column")],
    Discriminator(_form),
]


class SourceOptions(Strict, abc.ABC):
    """Options of a source of rows; a kind adds its own, and says where the rows are.

    `null_values` are texts that mean missing, in all columns; or by column, where those of the name
    "" are of all columns. The empty text always means missing.
    """

    has_types: ClassVar[bool] = True  # whether numbers are not text

    format: str
    null_values: NullValues = ("",)
    trim: bool = False  # drop spaces around every value, as in "a, b, c"

    @property
    @abc.abstractmethod
    def paths(self) -> tuple[str, ...]:
        """The paths or the URL, without secrets, as pipeline.yaml has them."""

    @classmethod
    @abc.abstractmethod
    def recognizes(cls, path: str) -> bool:
        """Return whether `skewless predict` and `init` read a path or URL as this kind."""

    @classmethod
    @abc.abstractmethod
    def plain(cls, path: str) -> SourceOptions:
        """Return the default options for a path or URL."""

    @property
    def read_always(self) -> str:
        """Why each run reads all rows again, with what to do about it; "" if it need not."""
        return ""

    def moved(self, relative: Callable[[str], str]) -> SourceOptions:
        """Return the same with other paths of its files on a disk, if it has any."""
        del relative
        return self

    @property
    def nulls(self) -> tuple[str, ...]:
        """Texts that mean missing in all columns, trimmed and each once, the empty one included.

        Serving treats an empty text as missing, so training does too.
        """
        return self.nulls_of(_EVERY)

    def nulls_of(self, column: str) -> tuple[str, ...]:
        """Return the texts that mean missing in a column: its own ones, too."""
        given = self.null_values
        if isinstance(given, dict):
            given = (*given.get(_EVERY, ()), *given.get(column, ()))
        texts = [text.strip(SPACES) if self.trim else text for text in given]
        return tuple(dict.fromkeys(["", *texts]))

    @property
    def columns_with_nulls(self) -> tuple[str, ...]:
        """The columns that have texts of their own that mean missing."""
        given = self.null_values if isinstance(self.null_values, dict) else {}
        return tuple(name for name in given if name != _EVERY)


class FileColumns(Strict):
    """What becomes of the columns of files: `rename` has new names by those in the files."""

    rename: dict[str, Annotated[str, Field(min_length=1)]] = Field(default={})
    ignore: tuple[str, ...] = ()  # of the files; they are not reported as ignored

    @pydantic.model_validator(mode="after")
    def _once_each(self) -> FileColumns:
        new = list(self.rename.values())
        if twice := [name for name in new if new.count(name) > 1]:
            raise ValueError(f"rename makes {twice[0]!r} of several columns")
        if both := [name for name in self.ignore if name in self.rename]:
            raise ValueError(f"{both[0]!r} is renamed and ignored")
        return self


class FileOptions(SourceOptions):
    """Options of rows in files; a kind adds its own.

    `path` is a file, a folder, a glob, `package://NAME/FILE` for a file that a Python package
    ships, or a list of these; relative paths are relative to the folder of pipeline.yaml. With
    `{SPAN}`, or `{YYYY}`, `{MM}` and `{DD}`, it is the path of each span of a source that grows,
    and `spans` says which of them a run reads: see `schemas.spans`.
    """

    endings: ClassVar[tuple[str, ...]] = ()  # by which the kind is recognized
    has_header: ClassVar[bool] = True  # whether a file says which columns it has

    path: str | Annotated[tuple[str, ...], Field(min_length=1)]
    partitions: Literal["hive"] | None = None  # whether folders named key=value are columns
    columns: FileColumns = FileColumns()
    spans: str | None = None  # such as "last 7"; without it, the newest one

    @pydantic.field_validator("spans", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int | datetime.date) else value

    @pydantic.model_validator(mode="after")
    def _check_spans(self) -> FileOptions:
        check_spans(self.paths, self.spans)
        return self

    @property
    def has_spans(self) -> bool:
        """Whether the path has placeholders of spans."""
        return any(map(has_spans, self.paths))

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths, as pipeline.yaml has them."""
        return (self.path,) if isinstance(self.path, str) else self.path

    @classmethod
    def recognizes(cls, path: str) -> bool:
        """Return whether a file has an ending of this kind."""
        return path.endswith(cls.endings)

    @classmethod
    def plain(cls, path: str) -> FileOptions:
        """Return the default options for a file."""
        return cls.model_validate({"path": path})
