"""The options of `bag_of_words`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.normalization import Normalize
from schemas.treatments.options import LearnedTerms
from schemas.types import BYTES, ColumnType

_LONGEST = 10  # of an n-gram, in words or characters


class BagOfWords(LearnedTerms):
    """The ids of a text's n-grams, from 1; the most frequent in training, by falling count.

    With TF-IDF, each n-gram of a text has one id and a weight; without, it has an id each time it
    occurs. A missing text has the id 0 alone, a text without known n-grams none.
    """

    kind: Literal["bag_of_words"] = "bag_of_words"
    accepts: ClassVar[tuple[ColumnType, ...]] = (BYTES,)
    analyzer: Literal["word", "char"] = "word"
    ngram_range: tuple[
        Annotated[int, Field(ge=1, le=_LONGEST)], Annotated[int, Field(ge=1, le=_LONGEST)]
    ] = (1, 1)
    normalize: Normalize = ("lower", "accents", "punctuation")
    top_k: Annotated[int, Field(ge=1)] = 10_000
    min_count: Annotated[int, Field(ge=1)] = 2
    hash_buckets: Annotated[int, Field(ge=2, le=10_000_000)] | None = None
    tf_idf: bool | None = None  # None is whether n-grams are learnt
    max_length: Annotated[int, Field(ge=1, le=10_000)] = 200
    combine: Literal["mean", "sum"] | None = None  # None is the sum of TF-IDF, and else the mean

    @pydantic.model_validator(mode="after")
    def _fit(self) -> BagOfWords:
        if self.ngram_range[0] > self.ngram_range[1]:
            raise ValueError(
                f"ngram_range begins at {self.ngram_range[0]} and ends at {self.ngram_range[1]};"
                " write the shortest n-gram first"
            )
        if self.hash_buckets is not None and self.tf_idf:
            raise ValueError(
                "tf_idf needs n-grams that are learnt, and hash_buckets learns none; remove one of"
                " the two"
            )
        return self

    @property
    def is_weighted(self) -> bool:
        """Whether n-grams are weighted by TF-IDF."""
        return self.hash_buckets is None if self.tf_idf is None else self.tf_idf

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the ids, and their weights if any; `learned` is the number of terms."""
        name = f"{columns[0]}_{self.kind}"
        weights = f"{name}_weight" if self.is_weighted else ""
        ids = TransformedFeature(
            name=name,
            columns=columns,
            treatment=self.kind,
            role="embedding",
            size=1 + (self.hash_buckets or learned),
            combine=self.combine or ("sum" if self.is_weighted else "mean"),
            weights=weights,
        )
        if not self.is_weighted:
            return (ids,)
        changes = {"name": weights, "role": "weight", "size": 0, "weights": ""}
        return (ids, ids.model_copy(update=changes))
