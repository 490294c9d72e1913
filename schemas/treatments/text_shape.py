"""The options of `text_shape`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.strict import Finite
from schemas.treatments.options import TreatmentOptions
from schemas.types import BYTES, ColumnType

COUNTS = ("characters", "words")
SHARES = ("digits", "upper")


class TextShape(TreatmentOptions):
    """How long a text is and what it is made of; 0 and a flag if it is missing.

    The logarithms of 1 + its characters and its words have mean 0 and variance 1. Digits and upper
    case letters are shares of the characters.
    """

    kind: Literal["text_shape"] = "text_shape"
    accepts: ClassVar[tuple[ColumnType, ...]] = (BYTES,)
    clip: Annotated[Finite, Field(gt=0)] = 10.0

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the counts, the shares, and the missing flag."""
        return tuple(
            TransformedFeature(
                name=f"{columns[0]}_text_shape_{part}",
                columns=columns,
                treatment=self.kind,
                role="dense",
            )
            for part in (*COUNTS, *SHARES, "missing")
        )
