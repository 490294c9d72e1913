"""Options of all treatments."""

from __future__ import annotations

from typing import ClassVar

from schemas.columns import Column
from schemas.layout import TransformedFeature
from schemas.strict import Strict
from schemas.types import ColumnType


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
