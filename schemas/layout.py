"""The output of the transform graph: the only list of transformed features, in model order.

It is written beside the transform graph and read by training and export, so that there are no
parallel lists of features.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from schemas.splits.options import FOLD
from schemas.strict import Strict
from schemas.types import INT

FILE_NAME = "layout.json"
MEASURED_NAME = "features.json"  # how the features spread over training rows, beside the layout

# Inputs of a transform graph that treatments of the label add, by type: the fold and the weight of
# a training row. What serving computes does not depend on them.
TRAINING_INPUTS = {FOLD: "int64", "skewless_weight": "float32"}
FOLD_INPUT, WEIGHT_INPUT = TRAINING_INPUTS


ATTENTION = "attention"  # how a row's other features weigh the ids of its list


class TransformedFeature(Strict):
    """An output of the transform graph, one value for each row, or a list of ids.

    Attributes:
      name: its name in the graph and in the transformed examples.
      columns: the columns that it is computed from, raw or derived.
      treatment: its treatment.
      role: "dense" is a float32 for the deep part, "place" one in [0, size] that the deep part
        unfolds into a piecewise-linear code, "embedding" an int64 in [0, size) for the deep and the
        wide part, "wide" one for the wide part only; "weight" is a list of float32, one for each id
        of another feature's lists.
      size: number of ids, or of a place's intervals; 0 for dense features.
      combine: what the model makes of a list's embeddings; "" for one value a row.
      weights: the feature that says how much each id of a list counts; "" if all count the same.
      training: the output that has its values in the training split, which then are others than
        for the same row in serving; "" if they are the same.
    """

    name: str
    columns: tuple[str, ...]
    treatment: str
    role: Literal["dense", "place", "embedding", "wide", "weight"]
    size: int = 0
    combine: Literal["", "mean", "sum", "attention"] = ""
    weights: str = ""
    training: str = ""

    @property
    def is_list(self) -> bool:
        """Whether a row has a list, of ids or of their weights."""
        return bool(self.combine)

    @property
    def is_float(self) -> bool:
        """Whether its values are numbers rather than ids."""
        return self.role in ("dense", "place", "weight")

    @property
    def dtype(self) -> str:
        """The TensorFlow type of its values."""
        return "float32" if self.is_float else "int64"


class Layout(Strict):
    """The transformed features in model order, and the label.

    Attributes:
      features: in model order.
      label: its name.
      label_type: the name of its type in transformed examples.
      derived: the raw columns that each derived column among them is made from.
      dropped: the columns that the selection left out of the features, each with its reason.
      label_learned: what its task has learned from the training split, by name.
    """

    features: tuple[TransformedFeature, ...]
    label: str
    label_type: str = INT.name
    derived: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    dropped: dict[str, str] = Field(default_factory=dict)
    label_learned: dict[str, Any] = Field(default_factory=dict)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs of the graph: the features, their values in training, and the label."""
        training = (f.training for f in self.features if f.training)
        return (*(f.name for f in self.features), *training, self.label)

    @property
    def raw_columns(self) -> tuple[str, ...]:
        """The raw columns that the features are made from, each once, in order."""
        used = (name for feature in self.features for name in feature.columns)
        return tuple(dict.fromkeys(raw for name in used for raw in self.derived.get(name, (name,))))

    @property
    def dense(self) -> tuple[TransformedFeature, ...]:
        """The float32 features that are taken as they are, in order."""
        return tuple(f for f in self.features if f.role == "dense")

    @property
    def places(self) -> tuple[TransformedFeature, ...]:
        """The places, in order."""
        return tuple(f for f in self.features if f.role == "place")

    @property
    def ids(self) -> tuple[TransformedFeature, ...]:
        """The features of one id a row, in order."""
        return tuple(f for f in self.features if not f.is_float and not f.is_list)

    @property
    def lists(self) -> tuple[TransformedFeature, ...]:
        """The features of a list of ids a row, in order."""
        return tuple(f for f in self.ragged if f.role != "weight")

    @property
    def ragged(self) -> tuple[TransformedFeature, ...]:
        """The features of a list a row, of ids or of their weights, in order."""
        return tuple(f for f in self.features if f.is_list)

    @property
    def has_weights(self) -> bool:
        """Whether some list's ids have weights."""
        return any(f.weights for f in self.lists)

    def by_treatment(self) -> dict[str, list[TransformedFeature]]:
        """Return the features of each treatment, in order."""
        features: dict[str, list[TransformedFeature]] = {}
        for feature in self.features:
            features.setdefault(feature.treatment, []).append(feature)
        return features
