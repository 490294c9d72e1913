"""What the options of every treatment have."""

from __future__ import annotations

from typing import ClassVar

from schemas.layout import TransformedFeature
from schemas.strict import Strict
from schemas.types import ColumnType


class TreatmentOptions(Strict):
    """The options of one use of a treatment, which `kind` names."""

    kind: str
    accepts: ClassVar[tuple[ColumnType, ...]]

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the transformed features.

        Args:
          columns: the raw columns of this use.
          learned: what the analysis found, as the treatment's `learn` counts it; else 0.
        """
        raise NotImplementedError
