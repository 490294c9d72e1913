"""The terms of vocabularies that a proof tries: known ones, beside which an output changes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from components.transform import vocabularies
from components.transform.constants import columns_of
from schemas.layout import TransformedFeature

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Boundary

_SOME = 12


def terms_by_column(
    graph: str, file_name: str, features: Sequence[TransformedFeature]
) -> dict[str, list[Boundary]]:
    """Return, by column, some of the terms that a file of vocabularies has: both ends, and between.

    Args:
      graph: TFT's output folder.
      file_name: of the vocabularies of all these columns, in the order of features.
      features: those that are made of the terms.
    """
    columns = columns_of(features)
    if not columns:
        return {}
    path = os.path.join(graph, "transform_fn", "assets", file_name)
    read = vocabularies.read(path, len(columns))
    return {name: some(each.terms) for name, each in zip(columns, read, strict=True)}


def some(terms: Sequence[bytes]) -> list[Boundary]:
    """Return some of the terms: the most frequent, the rarest, and others at equal distances.

    >>> some([b"%d" % number for number in range(100)])[::3]
    [b'0', b'27', b'54', b'81']
    """
    chosen = np.unique(np.linspace(0, len(terms) - 1, min(len(terms), _SOME)).astype(int))
    return [terms[place] for place in chosen]
