"""Options of all treatments."""

from __future__ import annotations

from typing import ClassVar

from schemas.columns import Column
from schemas.layout import TransformedFeature
from schemas.strict import Strict
from schemas.types import BOOL, FLOAT, INT, TIME, TIME_TEXT, ColumnType


class TreatmentOptions(Strict):
    """The options of one use of a treatment; `kind` names the treatment."""

    kind: str
    accepts: ClassVar[tuple[ColumnType, ...]]
    # Of lists, outputs are lists of ids, which the model combines as `combine` says; or dense.
    accepts_lists: ClassVar[bool] = False

    def check(self, column: Column, *, where: str) -> None:
        """Check that a column of a type that is accepted fits the options.

        Args:
          column: of schema.pbtxt.
          where: the section, for the error.

        Raises:
          ConfigError: it does not.
        """

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the transformed features.

        Args:
          columns: the raw columns of this use.
          learned: the size that the treatment's `learn` returned after the analysis; otherwise 0.
        """
        raise NotImplementedError


class ScaledNumber(TreatmentOptions):
    """The options of a treatment that gives a number, 0 if missing, and a flag if missing."""

    accepts: ClassVar[tuple[ColumnType, ...]] = (INT, FLOAT, BOOL, TIME, TIME_TEXT)

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the number, COLUMN_KIND, and the flag, COLUMN_KIND_missing."""
        return tuple(
            TransformedFeature(
                name=f"{columns[0]}_{suffix}", columns=columns, treatment=self.kind, role="dense"
            )
            for suffix in (self.kind, f"{self.kind}_missing")
        )
