"""The treatments: what a raw column can become. One function and one line in a table each.

Goes in: raw columns as sparse tensors [rows, <=1] (int64, float32 or string), with the options of
each. Comes out: one or more rank-1 tensors [rows] a column, float32 dense or int64 ids, whose names
and sizes `declare` tells without TensorFlow.

A treatment sees all its columns at once: one analyzer serves them all, which costs a third of a
second, and one op each step of it, for the number of ops is what a request of one row waits for.
NaN and the empty string count as missing, everywhere, so that a request which cannot say "absent"
means the same as one that can.

Numbers are subtracted and compared in float64, which holds every INT within ±2**53 and every FLOAT;
only the result is rounded to float32. Floats below the smallest normal float32 count as 0: some of
TensorFlow's threads take them for 0 and others do not.

All arithmetic on features lives here, inside the transform graph: serving runs these very ops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from schemas.layout import TransformedFeature
from schemas.spec import Cross, Exceeds, Label, QuantileBuckets, Vocabulary, ZScore

if TYPE_CHECKING:
    import tensorflow as tf

    Inputs = Mapping[str, tf.SparseTensor]
    Tensors = Mapping[str, tf.Tensor]

Options = TypeVar("Options")

# Parts of a cross are joined by a character that text columns do not hold (unit separator).
_SEPARATOR = "\x1f"
_HASHES = 2**62  # of which a bucket is what is left over: one hashing for columns of any buckets
_NO_WEIGHT = 1e-30  # lost when added to a row's, so that it moves no quantile
_EXPONENT = 0x7F800000  # the bits of a float32's exponent
_ROUNDING = 4 * np.finfo(np.float64).eps  # a fraction's and a product's, twice over


def numbers(columns: Sequence[tf.SparseTensor]) -> tf.Tensor:
    """Return columns, int64 ones before float32 ones, as float64 [rows, columns], NaN if missing.

    One op for each step of all float columns: the number of ops is what a small request waits for.
    """
    import tensorflow as tf

    nan = float("nan")
    whole = [
        _dense(x, tf.cast(x.values, tf.float64), tf.constant(nan, tf.float64))
        for x in columns
        if x.dtype == tf.int64
    ]
    single = [_dense(x, x.values, tf.constant(nan)) for x in columns if x.dtype == tf.float32]
    if single:
        whole.append(tf.cast(_flushed(tf.concat(single, axis=1)), tf.float64))
    return tf.concat(whole, axis=1)


def _flushed(x: tf.Tensor) -> tf.Tensor:
    """Return float32 values, 0 for subnormal ones, in every thread alike."""
    import tensorflow as tf

    exponent = tf.bitwise.bitwise_and(tf.bitcast(x, tf.int32), _EXPONENT)
    return tf.where(tf.equal(exponent, 0), tf.zeros([]), x)


def _rounded(x: tf.Tensor) -> tf.Tensor:
    """Return float64 values as float32, 0 for those that would be subnormal."""
    import tensorflow as tf

    tiny = tf.constant(np.finfo(np.float32).tiny, tf.float64)
    return tf.cast(tf.where(tf.abs(x) < tiny, tf.zeros([], tf.float64), x), tf.float32)


def _integers_first(inputs: Inputs, options: Mapping[str, Options]) -> dict[str, Options]:
    """Return the options in the order that `numbers` takes columns in."""
    return dict(sorted(options.items(), key=lambda item: inputs[item[0]].dtype.is_floating))


def texts(x: tf.SparseTensor) -> tf.Tensor:
    """Return [rows, 1] string, "" where missing; integers in decimal."""
    import tensorflow as tf

    values = x.values if x.dtype == tf.string else tf.strings.as_string(x.values)
    return _dense(x, values, tf.constant(""))


def _dense(x: tf.SparseTensor, values: tf.Tensor, default: tf.Tensor) -> tf.Tensor:
    import tensorflow as tf

    shape = tf.maximum(x.dense_shape, tf.constant([0, 1], tf.int64))  # [rows, 0] if all are missing
    dense = tf.sparse.to_dense(tf.SparseTensor(x.indices, values, shape), default)
    dense.set_shape([None, 1])
    return dense


def _across(columns: list[tf.Tensor]) -> tf.Tensor:
    """Return columns [rows, 1] as a matrix [columns, rows]."""
    import tensorflow as tf

    return tf.reshape(tf.concat(columns, axis=0), [len(columns), -1])


def _by_column(names: Iterable[str], values: tf.Tensor, axis: int = 0) -> dict[str, tf.Tensor]:
    """Return a matrix's columns, which lie along `axis`, each under its name."""
    import tensorflow as tf

    names = list(names)
    return dict(zip(names, tf.unstack(values, len(names), axis=axis), strict=True))


def z_score(inputs: Inputs, options: Mapping[str, ZScore]) -> Tensors:
    """Scale to mean 0 and variance 1 over the training split; missing is 0 and flagged."""
    import tensorflow as tf
    import tensorflow_transform as tft

    options = _integers_first(inputs, options)
    value = _tamed(numbers([inputs[c] for c in options]), options)
    missing = tf.math.is_nan(value)
    # The analyzer leaves NaN and infinite values out of mean and variance.
    scaled = tft.scale_to_z_score(value, elementwise=True)
    clip = tf.constant([[o.clip for o in options.values()]], tf.float64)
    clipped = tf.clip_by_value(scaled, -clip, clip)
    # NaN: missing here, or in all of training, so that there is no mean to measure from.
    known = tf.where(tf.math.is_nan(clipped), tf.zeros([], tf.float64), clipped)
    return {
        **_by_column((f"{c}_z_score" for c in options), _rounded(known), axis=1),
        **_by_column((f"{c}_missing" for c in options), tf.cast(missing, tf.float32), axis=1),
    }


def _tamed(value: tf.Tensor, options: Mapping[str, ZScore]) -> tf.Tensor:
    """Return sign(x) log(1 + |x|) of the columns [rows, columns] that ask for it."""
    import tensorflow as tf

    asked = [o.log1p for o in options.values()]
    if not any(asked):
        return value
    tamed = tf.sign(value) * tf.math.log1p(tf.abs(value))
    return tf.where(tf.constant([asked]), tamed, value)


def quantile_buckets(inputs: Inputs, options: Mapping[str, QuantileBuckets]) -> Tensors:
    """Number the intervals between training quantiles from 1; missing is 0."""
    import tensorflow as tf

    from components.transform.quantiles import quantiles

    out: dict[str, tf.Tensor] = {}
    for count in sorted({o.buckets for o in options.values()}):
        alike = {c: o for c, o in options.items() if o.buckets == count}
        columns = list(_integers_first(inputs, alike))
        value = numbers([inputs[c] for c in columns])
        # The sketch leaves NaN out; infinite values must not become boundaries either.
        finite = tf.where(tf.math.is_finite(value), value, tf.constant(float("nan"), tf.float64))
        # A row of next to no weight: the sketch fails on a column without any value.
        boundaries = quantiles(
            tf.pad(finite, [[0, 1], [0, 0]]),
            weights=tf.pad(tf.ones(tf.shape(value)[:1]), [[0, 1]], constant_values=_NO_WEIGHT),
            num_buckets=count,
            epsilon=0.01 / count,
        )
        # A value that is a boundary belongs to the interval above it.
        across = tf.transpose(value)
        bucket = tf.searchsorted(boundaries, across, side="right", out_type=tf.int64) + 1
        bucket = tf.where(tf.math.is_nan(across), tf.zeros([], tf.int64), bucket)
        out |= _by_column((f"{c}_bucket" for c in columns), bucket)
    return out


def vocabulary(inputs: Inputs, options: Mapping[str, Vocabulary]) -> Tensors:
    """Number exact training values from 1 by falling count, then OOV buckets; missing is 0."""
    import tensorflow as tf

    from components.transform.vocabularies import analyze, lookup

    value = _across([texts(inputs[c]) for c in options])
    path = analyze({c: inputs[c].values for c in options}, options)
    term = lookup(value, path, len(options))
    buckets = tf.constant([[o.oov_buckets] for o in options.values()], tf.int64)
    oov = term.size + tf.strings.to_hash_bucket_fast(value, _HASHES) % buckets
    number = tf.where(term.id >= 0, term.id, oov) + 1
    number = tf.where(tf.equal(value, ""), tf.zeros([], tf.int64), number)
    return _by_column((f"{c}_id" for c in options), number)


def cross(inputs: Inputs, options: Cross) -> Tensors:
    """Hash the columns' values together into [0, buckets); missing takes part as ""."""
    import tensorflow as tf
    import tensorflow_transform as tft

    joined = tf.strings.join([texts(inputs[c]) for c in options.columns], _SEPARATOR)
    hashed = tft.hash_strings(joined, options.buckets)
    return {options.name: tf.squeeze(hashed, axis=1)}


def label(inputs: Inputs, options: Label) -> Tensors:
    """Return the label, int64 0 or 1. Rows without it never get here: ingest rejects them."""
    import tensorflow as tf

    if options.equals is not None:
        wanted = tf.constant([str(v) for v in options.equals.values])
        equal = tf.equal(texts(inputs[options.equals.column]), wanted)
        positive = tf.reduce_any(equal, axis=1)
    else:
        assert options.exceeds is not None  # held by Label
        positive = _exceeds(options.exceeds, inputs)
    return {options.name: tf.cast(positive, tf.int64)}


def _exceeds(rule: Exceeds, inputs: Inputs) -> tf.Tensor:
    """Return whether a column exceeds a fraction of another one, bool [rows].

    0.29 of 100 is less than 29 in binary: what differs by the rounding alone does not exceed. That
    is the rounding of float32 between FLOAT columns, and of float64 where one of them is an INT.
    """
    import tensorflow as tf

    value, of = (tf.squeeze(numbers([inputs[c]]), axis=1) for c in (rule.column, rule.of))
    if all(inputs[c].dtype == tf.float32 for c in (rule.column, rule.of)):
        return tf.cast(value, tf.float32) > rule.fraction * tf.cast(of, tf.float32)
    limit = rule.fraction * of
    return value - limit > tf.abs(limit) * _ROUNDING


VocabularySize = Callable[[str], int]


@dataclass(frozen=True)
class Rule:
    """How a treatment is applied, and what it is known to put out."""

    apply: Callable[[Any, Any], Tensors]
    declare: Callable[[str, Any, VocabularySize], tuple[TransformedFeature, ...]]


def _declare_z_score(
    column: str, options: ZScore, _: VocabularySize
) -> tuple[TransformedFeature, ...]:
    return tuple(
        TransformedFeature(
            name=f"{column}_{suffix}", columns=(column,), treatment=options.kind, kind="dense"
        )
        for suffix in options.suffixes
    )


def _declare_quantile_buckets(
    column: str, options: QuantileBuckets, _: VocabularySize
) -> tuple[TransformedFeature, ...]:
    return (_id_feature(f"{column}_bucket", column, options.kind, 1 + options.buckets),)


def _declare_vocabulary(
    column: str, options: Vocabulary, size: VocabularySize
) -> tuple[TransformedFeature, ...]:
    ids = 1 + size(column) + options.oov_buckets
    return (_id_feature(f"{column}_id", column, options.kind, ids),)


def _id_feature(name: str, column: str, treatment: str, size: int) -> TransformedFeature:
    return TransformedFeature(
        name=name, columns=(column,), treatment=treatment, kind="id", size=size
    )


TREATMENTS: dict[str, Rule] = {
    "z_score": Rule(z_score, _declare_z_score),
    "quantile_buckets": Rule(quantile_buckets, _declare_quantile_buckets),
    "vocabulary": Rule(vocabulary, _declare_vocabulary),
}
