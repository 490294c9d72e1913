"""The options of `vocabulary`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.treatments.options import IdsOfValues, LearnedTerms


class Vocabulary(IdsOfValues, LearnedTerms):
    """The id of an exact value: 0 for missing, then by decreasing count, then the OOV buckets.

    A list gets an id a value; a missing list the id 0 alone, an empty one none.
    """

    kind: Literal["vocabulary"] = "vocabulary"
    top_k: Annotated[int, Field(ge=1)] = 10_000
    oov_buckets: Annotated[int, Field(ge=1)] = 1

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the value's id; `learned` is the number of terms."""
        return self._ids(f"{columns[0]}_id", columns, 1 + learned + self.oov_buckets)

    def unknown_ids(self, size: int) -> range:
        """Return the OOV buckets, which come last."""
        return range(size - self.oov_buckets, size)
