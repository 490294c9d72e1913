"""Options of all kinds of sources: where the rows are, and the meaning of texts."""

from __future__ import annotations

import abc
from typing import Annotated, ClassVar

from pydantic import Field

from schemas.columns import SPACES
from schemas.strict import Strict


class SourceOptions(Strict, abc.ABC):
    """Options of a source of rows; a kind adds its own, and says where the rows are."""

    format: str
    null_values: tuple[str, ...] = ("",)  # texts that mean missing; the empty one always does
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
    def nulls(self) -> tuple[str, ...]:
        """Texts that mean missing, after trimming, without duplicates, and including the empty one.

        Serving treats an empty text as missing, so training does too.
        """
        texts = [text.strip(SPACES) if self.trim else text for text in self.null_values]
        return tuple(dict.fromkeys(["", *texts]))


class FileOptions(SourceOptions):
    """Options of rows in files; a kind adds its own.

    `path` is a file, a glob, `package://NAME/FILE` for a file that a Python package ships, or a
    list of these; relative paths are relative to the folder of pipeline.yaml.
    """

    endings: ClassVar[tuple[str, ...]] = ()  # by which the kind is recognized

    path: str | Annotated[tuple[str, ...], Field(min_length=1)]

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
