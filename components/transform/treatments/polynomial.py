"""`polynomial`: products of columns that are scaled before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.column_tensors import by_name, integers_first, numbers, rounded
from components.transform.scaling import standardized
from components.transform.treatments.protocol import Use
from schemas.treatments.polynomial import Polynomial

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Return the products of all uses; a missing factor is 0."""
    orders = [integers_first((name, inputs[name]) for name in use.columns) for use in uses]
    values = [numbers([inputs[name] for name in order]) for order in orders]
    options = [use.options for use in uses for _ in use.columns]
    scaled = standardized(tf.concat(values, axis=1), options)
    known = tf.where(tf.math.is_nan(scaled), tf.zeros([], tf.float64), scaled)
    out: dict[str, tf.Tensor] = {}
    factors = tf.split(known, [len(order) for order in orders], axis=1)
    for use, order, own in zip(uses, orders, factors, strict=True):
        places = [order.index(name) for name in use.columns]
        products = _multiplied(own, use.options, places)
        out |= by_name(use.options.products, rounded(products), axis=1)
    return out


def _multiplied(factors: tf.Tensor, options: Polynomial, places: Sequence[int]) -> tf.Tensor:
    """Return the products, float64 [rows, products], of factors [rows, columns].

    `places` are those of the options' columns among the factors.
    """
    one = len(places)  # the place of a factor that changes nothing
    padded = tf.pad(factors, [[0, 0], [0, 1]], constant_values=1.0)
    products = options.products.values()
    result = tf.ones([], tf.float64)
    for nth in range(options.degree):
        own = [places[p[nth]] if nth < len(p) else one for p in products]
        result = result * tf.gather(padded, own, axis=1)
    return result
