"""Options of all kinds of sources: the path, and the meaning of texts."""

from __future__ import annotations

from typing import ClassVar

from schemas.columns import SPACES
from schemas.strict import Strict


class SourceOptions(Strict):
    """Options of a source of rows; a kind adds its own.

    `path` is a file, a glob, or `package://NAME/FILE` for a file that a Python package ships;
    relative paths are relative to the folder of pipeline.yaml.
    """

    endings: ClassVar[tuple[str, ...]] = ()  # by which `skewless predict` recognizes the kind

    format: str
    path: str
    null_values: tuple[str, ...] = ("",)  # texts that mean missing; the empty one always does
    trim: bool = False  # drop spaces around every value, as in "a, b, c"

    @property
    def nulls(self) -> tuple[str, ...]:
        """Texts that mean missing, after trimming, without duplicates, and including the empty one.

        Serving treats an empty text as missing, so training does too.
        """
        texts = [text.strip(SPACES) if self.trim else text for text in self.null_values]
        return tuple(dict.fromkeys(["", *texts]))
