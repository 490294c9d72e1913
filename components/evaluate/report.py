"""metrics.json: what evaluation found, as frozen types that the file can be read back into.

The file is this module's `Report` as JSON, keys and all. `format` counts up when a key changes its
meaning or goes away; added keys leave it as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Literal

from components import files
from components.evaluate.judge import Reason
from components.evaluate.metrics import Metrics
from components.evaluate.slices import SliceKind
from schemas.spec import Strict

FILE_NAME = "metrics.json"
WORST_SLICES = 5


class SliceMetrics(Strict):
    """How the model does on the rows that share a column's value.

    Attributes:
      column: the raw column.
      value: its value as text, "(missing)", or "(other)" for all values without their own slice.
      kind: which of the three, for a column that holds such a text.
      metrics: on these rows.
    """

    column: str
    value: str
    kind: SliceKind
    metrics: Metrics


class Baselines(Strict):
    """What a model has to beat.

    Attributes:
      base_rate: a constant, the test split's own base rate. That is the best constant for these
        very rows, so a harder mark than the training split's base rate.
      logistic: the logistic regression trained beside the model on the same transformed features.
    """

    base_rate: Metrics
    logistic: Metrics


class LastBlessed(Strict):
    """The model that was served when this one was judged.

    Attributes:
      path: its SavedModel.
      metrics: on the same rows, against the same labels; None where it was not compared.
      note: why it was not compared; None where it was.
    """

    path: str
    metrics: Metrics | None = None
    note: str | None = None


class Report(Strict):
    """The whole of metrics.json.

    Attributes:
      format: the layout of the file.
      label: the label's name.
      split: the split all metrics are on.
      blessed: whether nothing speaks against the model.
      reasons: everything that does.
      overall: the model on all rows.
      baselines: the models it has to beat, on all rows.
      last_blessed: the model served so far; None if there was none.
      slices: by column in the order of pipeline.yaml, then by falling count.
      worst_slices: those with the highest log-loss above `overall`'s, worst first, at most 5, of
        at least `min_slice_examples` rows.
      min_slice_examples: fewer rows than this say little.
    """

    format: Literal[1] = 1
    label: str
    split: str
    blessed: bool
    reasons: tuple[Reason, ...]
    overall: Metrics
    baselines: Baselines
    last_blessed: LastBlessed | None
    slices: tuple[SliceMetrics, ...]
    worst_slices: tuple[SliceMetrics, ...]
    min_slice_examples: int

    def write(self, folder: str) -> None:
        """Write metrics.json; it appears only when whole."""
        files.write_whole(os.path.join(folder, FILE_NAME), self.model_dump_json(indent=2) + "\n")

    @classmethod
    def read(cls, folder: str) -> Report:
        """Read what `write` wrote."""
        return cls.model_validate_json(files.read_bytes(os.path.join(folder, FILE_NAME)))


def worst(
    slices: Iterable[SliceMetrics], overall: Metrics, *, min_examples: int
) -> tuple[SliceMetrics, ...]:
    """Return the slices whose log-loss is most above the overall one, worst first.

    Log-loss exists in every slice, one-sided ones included, and is what the model is trained for.
    """
    ranked = sorted(
        (
            s
            for s in slices
            if s.metrics.examples >= min_examples and s.metrics.log_loss > overall.log_loss
        ),
        key=lambda s: -s.metrics.log_loss,
    )
    return tuple(ranked[:WORST_SLICES])
