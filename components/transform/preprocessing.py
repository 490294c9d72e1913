"""The preprocessing function TFT analyzes, and the layout of what it puts out.

Both are made from the same declarations of pipeline.yaml, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from components.transform import treatments
from components.transform.treatments import TREATMENTS, VocabularySize
from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.layout import Layout, TransformedFeature
from schemas.spec import Cross, Feature, Label, Strict, Treatment

if TYPE_CHECKING:
    import tensorflow as tf


class Preprocessing(Strict):
    """The part of pipeline.yaml that the transform graph is made from."""

    features: tuple[Feature, ...]
    crosses: tuple[Cross, ...]
    label: Label

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that go into the graph, each once, sorted by name."""
        names = {f.column for f in self.features} | set(self.label.columns)
        return tuple(sorted(names.union(*(c.columns for c in self.crosses))))

    def treated(self, kind: str) -> dict[str, Treatment]:
        """The columns that one treatment is for, with their options."""
        return {
            f.column: options
            for f in self.features
            for options in f.treatments
            if options.kind == kind
        }


def raw_columns(preprocessing: Preprocessing, columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Return the columns that go into the graph, sorted by name."""
    by_name = {c.name: c for c in columns}
    return tuple(by_name[name] for name in preprocessing.columns)


def make_layout(preprocessing: Preprocessing, vocabulary_size: VocabularySize) -> Layout:
    """Return the transformed features in model order.

    Args:
      preprocessing: what each column becomes.
      vocabulary_size: a column's number of vocabulary terms, known after the analysis.

    Raises:
      ConfigError: two features would have the same name.
    """
    features: list[TransformedFeature] = []
    for feature in preprocessing.features:
        for options in feature.treatments:
            declare = TREATMENTS[options.kind].declare
            features += declare(feature.column, options, vocabulary_size)
    for cross in preprocessing.crosses:
        features.append(
            TransformedFeature(
                name=cross.name,
                columns=cross.columns,
                treatment="cross",
                kind="id",
                size=cross.buckets,
            )
        )
    _refuse_equal_names([f.name for f in features] + [preprocessing.label.name])
    return Layout(features=tuple(features), label=preprocessing.label.name)


def _refuse_equal_names(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"two transformed features would be called {name!r}",
                where="pipeline.yaml: features, crosses, label",
                remedy="rename the column or the label, or drop one of the treatments",
            )


def make_preprocessing_fn(
    preprocessing: Preprocessing,
) -> Callable[[dict[str, tf.SparseTensor]], dict[str, tf.Tensor]]:
    """Return TFT's `preprocessing_fn`: raw sparse columns in, named rank-1 tensors out."""

    def preprocessing_fn(inputs: dict[str, tf.SparseTensor]) -> dict[str, tf.Tensor]:
        outputs: dict[str, tf.Tensor] = {}
        for kind, rule in TREATMENTS.items():
            options = preprocessing.treated(kind)
            if options:
                outputs.update(rule.apply(inputs, options))
        for cross in preprocessing.crosses:
            outputs.update(treatments.cross(inputs, cross))
        outputs.update(treatments.label(inputs, preprocessing.label))
        return outputs

    return preprocessing_fn
