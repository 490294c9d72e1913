"""`polynomial`: products of columns that are scaled before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.column_tensors import by_name, integers_first, numbers, rounded
from components.transform.scaling import standardized, with_all_digits
from components.transform.treatments.protocol import Use
from schemas.treatments.polynomial import Polynomial

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Return the products of all uses; a missing factor is 0."""
    order = integers_first(((use, name), inputs[name]) for use in uses for name in use.columns)
    columns = [inputs[name] for _, name in order]
    scaled = standardized(
        numbers(columns), [use.options for use, _ in order], centered=with_all_digits(columns)
    )
    known = tf.where(tf.math.is_nan(scaled), tf.zeros([], tf.float64), scaled)
    out: dict[str, tf.Tensor] = {}
    for use in uses:
        places = [order.index((use, name)) for name in use.columns]
        products = _multiplied(known, use.options, places)
        out |= by_name(use.options.products, rounded(products), axis=1)
    return out


def _multiplied(factors: tf.Tensor, options: Polynomial, places: Sequence[int]) -> tf.Tensor:
    """Return the products, float64 [rows, products], of factors [rows, columns].

    `places` are those of the options' columns among the factors.
    """
    one = factors.shape[1]  # the place of a factor that changes nothing
    padded = tf.pad(factors, [[0, 0], [0, 1]], constant_values=1.0)
    products = options.products.values()
    result = tf.ones([], tf.float64)
    for nth in range(options.degree):
        own = [places[p[nth]] if nth < len(p) else one for p in products]
        result = result * tf.gather(padded, own, axis=1)
    return result
