"""The options that `target_mean` and `weight_of_evidence` share: they learn from the label."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.treatments.options import LearnedTerms


class LabelEncoding(LearnedTerms):
    """The options of a treatment that learns how the label is distributed for each value.

    A training row has the figures of the rows of other folds, so that its own label is not in its
    features. Each feature is therefore two outputs of the transform graph.
    """

    learns_label: ClassVar[bool] = True
    top_k: Annotated[int, Field(ge=1)] = 10_000

    @property
    def of_classes(self) -> tuple[str, ...]:
        """The classes that get a feature each; none where the label is one number."""
        return ()

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the features, each with the output that has the values of training rows."""
        suffixes = [f"_{name}" for name in self.of_classes] or [""]
        names = [f"{columns[0]}_{self.kind}{suffix}" for suffix in suffixes]
        return tuple(
            TransformedFeature(
                name=name,
                columns=columns,
                treatment=self.kind,
                role="dense",
                training=f"{name}_out_of_fold",
            )
            for name in names
        )
