"""The options of `frequency`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.treatments.options import LearnedTerms


class Frequency(LearnedTerms):
    """The share of training rows with the value x, and log(1 + count) from 0 to 1.

    Both are 0 for a value that training has not seen, and if x is missing, which is flagged.
    """

    kind: Literal["frequency"] = "frequency"
    top_k: Annotated[int, Field(ge=1)] = 10_000

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the share, the logarithm, and the missing flag."""
        return tuple(
            TransformedFeature(
                name=f"{columns[0]}_frequency{suffix}",
                columns=columns,
                treatment=self.kind,
                role="dense",
            )
            for suffix in ("", "_log", "_missing")
        )
