"""selection.json: the columns that were kept and dropped, each dropped one with its reason.

Written by the stage `select`; read by transform and the summary. Later stages read the layout.
"""

from __future__ import annotations

import os
from typing import Literal

from components import files
from schemas.strict import Strict

FILE_NAME = "selection.json"

Reason = Literal[
    "missing",
    "one_value",
    "duplicate",
    "mutual_information",
    "correlation",
    "keep",
    "importance",
    "unmeasured",
    "",
]

_WORDS = {
    "missing": "{figure:.2%} of the rows have no value",
    "one_value": "{figure:.2%} of the rows have one value",
    "duplicate": "equal to {other} in all of the sample",
    "mutual_information": "mutual information of {figure:.3g} nats with the label",
    "correlation": "rank correlation of {figure:.4f} with {other}, which is more informative",
    "importance": "permuting it costs a trained model {figure:.2g}, no more than by chance",
    "unmeasured": "it moves the scores of a trained model least, and permuting it costs nothing",
    "keep": "beyond the best {kept} by {by}, with a score of {figure:.3g} nats",
}


class JudgedColumn(Strict):
    """A column, and whether features are made from it.

    Attributes:
      column: its name.
      reason: the filter that dropped it; "" if it is kept.
      figure: what the filter measured.
      other: the kept column that it is like.
      information: its mutual information with the label, in nats; None of lists, and of columns
        that a filter before dropped.
    """

    column: str
    reason: Reason = ""
    figure: float | None = None
    other: str = ""
    information: float | None = None


class Selected(Strict):
    """The content of selection.json.

    Attributes:
      rows: of the sample.
      by: the criterion of `keep`.
      columns: those that were judged, in the order of pipeline.yaml.
    """

    rows: int
    by: str
    columns: tuple[JudgedColumn, ...]

    @property
    def dropped(self) -> dict[str, str]:
        """The columns that are left out of the features, each with its reason in words."""
        kept = sum(not each.reason for each in self.columns)
        return {
            each.column: _WORDS[each.reason].format(
                figure=each.figure, other=each.other, by=self.by, kept=kept
            )
            for each in self.columns
            if each.reason
        }

    def write(self, folder: str) -> None:
        """Write selection.json into the folder."""
        files.write_whole(os.path.join(folder, FILE_NAME), self.model_dump_json(indent=1))

    @classmethod
    def read(cls, folder: str) -> Selected:
        """Read a folder's selection.json."""
        return cls.model_validate_json(files.read_bytes(os.path.join(folder, FILE_NAME)))
