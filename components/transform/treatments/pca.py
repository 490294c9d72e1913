"""`pca`: the principal components of several columns.

Sums of products are whole numbers in units of 2 ** -28, so they are exact in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.transform.projection import by_number, cut, projected, standardized
from components.transform.treatments.protocol import Use

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_UNIT = 2**14  # numbers are rounded to a part of this, in the analysis alone
_ROWS = 1 << 16  # whose products a float64 adds up exactly
# The number of rows, the sums of columns, and of products of two of them; int64.
_Products = tuple[int, np.ndarray, np.ndarray]


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Return the components of all uses; a missing number counts as the mean."""
    out: dict[str, tf.Tensor] = {}
    for use in uses:
        x = standardized(inputs, use)
        (found,) = tft.experimental.ptransform_analyzer(
            inputs=[x],
            ptransform=LearnAxes(),
            output_dtypes=[tf.float64],
            output_shapes=[[1 + len(use.columns), len(use.columns)]],
            name="pca",
        )
        weights = tf.transpose(found[1 : 1 + use.options.components])
        # The mean is that of clipped numbers.
        center = cut(found[:1], use.options.clip, 24)
        out |= by_number(use, projected(x - center, weights, 1.0))
    return out


class LearnAxes(beam.PTransform):
    """Batches of a matrix to its means and principal axes, float64 [1 + columns, columns]."""

    def expand(self, batches: beam.PCollection[tuple[np.ndarray]]) -> beam.PCollection[np.ndarray]:
        """Return the means, then the axes, that of the largest variance first."""
        return batches | "Products" >> beam.CombineGlobally(CombineProducts())


class CombineProducts(beam.CombineFn):
    """Sum the products of each two columns, and find their principal axes."""

    def create_accumulator(self) -> _Products | None:
        """Return None: the first batch says how many columns there are."""
        return None

    def add_input(
        self, accumulator: _Products | None, batch: tuple[np.ndarray]
    ) -> _Products | None:
        """Add a batch's rows."""
        whole = np.round(batch[0] * _UNIT)
        parts = [accumulator]
        for first in range(0, max(len(whole), 1), _ROWS):
            x = whole[first : first + _ROWS]
            sums, products = x.sum(axis=0), x.T @ x
            parts.append((len(x), sums.astype(np.int64), products.astype(np.int64)))
        return self.merge_accumulators(parts)

    def merge_accumulators(self, accumulators: Iterable[_Products | None]) -> _Products | None:
        """Add up the sums."""
        parts = [part for part in accumulators if part is not None]
        if not parts:
            return None
        rows, sums, products = zip(*parts, strict=True)
        return sum(rows), np.sum(sums, axis=0), np.sum(products, axis=0)

    def extract_output(self, accumulator: _Products) -> np.ndarray:
        """Return the means and the axes, each with its largest weight positive."""
        rows, sums, products = accumulator
        means = sums / max(rows, 1) / _UNIT
        covariance = products / max(rows, 1) / _UNIT**2 - np.outer(means, means)
        _, axes = np.linalg.eigh(covariance)  # by rising variance, in columns
        axes = axes.T[::-1]
        largest = np.abs(axes).argmax(axis=1)
        signs = np.sign(axes[np.arange(len(axes)), largest])
        return np.concatenate([means[np.newaxis], axes * signs[:, np.newaxis]])
