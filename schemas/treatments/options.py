"""Options of all treatments."""

from __future__ import annotations

from typing import ClassVar

from schemas.layout import TransformedFeature
from schemas.strict import Strict
from schemas.types import ColumnType


class TreatmentOptions(Strict):
    """The options of one use of a treatment; `kind` names the treatment."""

    kind: str
    accepts: ClassVar[tuple[ColumnType, ...]]
    accepts_lists: ClassVar[bool] = False  # if so, `combine` says what a list's values become

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the transformed features.

        Args:
          columns: the raw columns of this use.
          learned: the size that the treatment's `learn` returned after the analysis; otherwise 0.
        """
        raise NotImplementedError
