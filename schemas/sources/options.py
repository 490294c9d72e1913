"""Options of all kinds of sources: the path, and the meaning of texts."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.columns import SPACES
from schemas.strict import Strict


class SourceOptions(Strict):
    """Options of a source of rows; a kind adds its own.

    `path` is a file, a glob, `package://NAME/FILE` for a file that a Python package ships, or a
    list of these; relative paths are relative to the folder of pipeline.yaml.
    """

    endings: ClassVar[tuple[str, ...]] = ()  # by which `skewless predict` recognizes the kind

    format: str
    path: str | Annotated[tuple[str, ...], Field(min_length=1)]
    null_values: tuple[str, ...] = ("",)  # texts that mean missing; the empty one always does
    trim: bool = False  # drop spaces around every value, as in "a, b, c"

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths, as pipeline.yaml has them."""
        return (self.path,) if isinstance(self.path, str) else self.path

    @property
    def nulls(self) -> tuple[str, ...]:
        """Texts that mean missing, after trimming, without duplicates, and including the empty one.

        Serving treats an empty text as missing, so training does too.
        """
        texts = [text.strip(SPACES) if self.trim else text for text in self.null_values]
        return tuple(dict.fromkeys(["", *texts]))
