"""The options of `pretrained`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.normalization import Normalize
from schemas.term_lists import TermList
from schemas.treatments.options import TreatmentOptions
from schemas.types import BYTES, ColumnType
from schemas.vector_files import NUMPY, Vectors

_MOST_NUMBERS = 1 << 24  # of a table in the graph: 64 MiB


class Pretrained(TreatmentOptions):
    """The mean of the vectors of a text's words, or the vector of a value, from a given file.

    The first `top_k` words of the file are known. Words that are not are left out of the mean;
    their share is a feature. Without a known word, all numbers are 0.
    """

    kind: Literal["pretrained"] = "pretrained"
    accepts: ClassVar[tuple[ColumnType, ...]] = (BYTES,)
    vectors: Vectors
    terms: TermList = ()
    of: Literal["words", "value"] = "words"
    normalize: Normalize = ()
    top_k: Annotated[int, Field(ge=1)] = 20_000
    max_length: Annotated[int, Field(ge=1, le=10_000)] = 200

    @pydantic.model_validator(mode="after")
    def _fitting(self) -> Pretrained:
        rows, size = self.vectors.rows, self.vectors.size
        if self.vectors.path.endswith(NUMPY) != bool(self.terms):
            raise ValueError(
                f"vectors in {NUMPY} need `terms`, a file with the word of each row a line, and"
                " files of text have the words themselves"
            )
        if self.terms and len(self.terms) != rows:
            raise ValueError(
                f"terms has {len(self.terms):,} words, and {self.vectors.path} has {rows:,} rows"
            )
        known = min(self.top_k, rows) if rows else self.top_k
        if known * size > _MOST_NUMBERS:
            raise ValueError(
                f"{known:,} vectors of {size:,} numbers do not fit in a graph; lower top_k to"
                f" {_MOST_NUMBERS // size:,}"
            )
        return self

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return each number, the share of unknown words, and the missing flag."""
        return tuple(
            TransformedFeature(
                name=f"{columns[0]}_{self.kind}_{suffix}",
                columns=columns,
                treatment=self.kind,
                role="dense",
            )
            for suffix in (*range(self.vectors.size), "unknown", "missing")
        )
