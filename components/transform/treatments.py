"""The treatments: what a raw column can become. One function and one line in a table each.

Goes in: raw columns as sparse tensors [rows, <=1] (int64, float32 or string), with the options of
each. Comes out: one or more rank-1 tensors [rows] a column, float32 dense or int64 ids, whose names
and sizes `declare` tells without TensorFlow.

A treatment sees all its columns at once, so that one analyzer serves them all: an analyzer's fixed
cost is about a third of a second. NaN and the empty string count as missing, everywhere, so that a
request which cannot say "absent" means the same as one that can.

All arithmetic on features lives here, inside the transform graph: serving runs these very ops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.layout import TransformedFeature
from schemas.spec import Cross, Label, QuantileBuckets, Vocabulary, ZScore

if TYPE_CHECKING:
    import tensorflow as tf

    Inputs = Mapping[str, tf.SparseTensor]
    Tensors = Mapping[str, tf.Tensor]

# Parts of a cross are joined by a character that text columns do not hold (unit separator).
_SEPARATOR = "\x1f"
_NO_WEIGHT = 1e-30  # lost when added to a row's, so that it moves no quantile


def numbers(x: tf.SparseTensor) -> tf.Tensor:
    """Return [rows] float32, NaN where missing."""
    import tensorflow as tf

    return _dense(x, tf.cast(x.values, tf.float32), tf.constant(float("nan")))


def texts(x: tf.SparseTensor) -> tf.Tensor:
    """Return [rows] string, "" where missing; integers in decimal."""
    import tensorflow as tf

    values = x.values if x.dtype == tf.string else tf.strings.as_string(x.values)
    return _dense(x, values, tf.constant(""))


def _dense(x: tf.SparseTensor, values: tf.Tensor, default: tf.Tensor) -> tf.Tensor:
    import tensorflow as tf

    one_column = tf.SparseTensor(x.indices, values, [x.dense_shape[0], 1])
    return tf.squeeze(tf.sparse.to_dense(one_column, default), axis=1)


def z_score(inputs: Inputs, options: Mapping[str, ZScore]) -> Tensors:
    """Scale to mean 0 and variance 1 over the training split; missing is 0 and flagged."""
    import tensorflow as tf
    import tensorflow_transform as tft

    value = tf.stack([_tamed(numbers(inputs[c]), o) for c, o in options.items()], axis=1)
    missing = tf.math.is_nan(value)
    # The analyzer leaves NaN and infinite values out of mean and variance.
    scaled = tft.scale_to_z_score(value, elementwise=True)
    out: dict[str, tf.Tensor] = {}
    for i, (column, o) in enumerate(options.items()):
        clipped = tf.clip_by_value(scaled[:, i], -o.clip, o.clip)
        # NaN: missing here, or in all of training, so that there is no mean to measure from.
        unknown = tf.math.is_nan(clipped)
        out[f"{column}_z_score"] = tf.where(unknown, tf.zeros_like(clipped), clipped)
        out[f"{column}_missing"] = tf.cast(missing[:, i], tf.float32)
    return out


def _tamed(value: tf.Tensor, options: ZScore) -> tf.Tensor:
    import tensorflow as tf

    if not options.log1p:
        return value
    # In float32 the kernel for whole vectors and the one for their tail differ in the last bit, so
    # a row's value would depend on its place in the batch. Rounded from float64 it does not.
    logarithm = tf.math.log1p(tf.cast(tf.abs(value), tf.float64))
    return tf.sign(value) * tf.cast(logarithm, tf.float32)


def quantile_buckets(inputs: Inputs, options: Mapping[str, QuantileBuckets]) -> Tensors:
    """Number the intervals between training quantiles from 1; missing is 0."""
    import tensorflow as tf
    import tensorflow_transform as tft

    out: dict[str, tf.Tensor] = {}
    for count in sorted({o.buckets for o in options.values()}):
        columns = [c for c, o in options.items() if o.buckets == count]
        value = tf.stack([numbers(inputs[c]) for c in columns], axis=1)
        missing = tf.math.is_nan(value)
        # The sketch leaves NaN out; infinite values must not become boundaries either.
        finite = tf.where(tf.math.is_finite(value), value, tf.fill(tf.shape(value), float("nan")))
        # A row of next to no weight: the sketch fails on a column without any value.
        boundaries = tft.quantiles(
            tf.pad(finite, [[0, 1], [0, 0]]),
            num_buckets=count,
            epsilon=0.01 / count,
            weights=tf.pad(tf.ones(tf.shape(value)[:1]), [[0, 1]], constant_values=_NO_WEIGHT),
            reduce_instance_dims=False,
        )
        filled = tf.where(missing, tf.zeros_like(value), value)
        for i, column in enumerate(columns):
            bucket = tf.cast(tft.apply_buckets(filled[:, i], boundaries[i : i + 1]), tf.int64) + 1
            out[f"{column}_bucket"] = tf.where(missing[:, i], tf.zeros_like(bucket), bucket)
    return out


def vocabulary(inputs: Inputs, options: Mapping[str, Vocabulary]) -> Tensors:
    """Number exact training values from 1 by falling count, then OOV buckets; missing is 0."""
    import tensorflow as tf

    from components.transform.vocabularies import analyze, lookup

    value = tf.stack([texts(inputs[c]) for c in options], axis=1)
    missing = tf.equal(value, "")
    path = analyze({c: inputs[c].values for c in options}, options)
    term = lookup(value, path, len(options))
    out: dict[str, tf.Tensor] = {}
    for i, (column, o) in enumerate(options.items()):
        known = term.size[i]
        oov = known + tf.strings.to_hash_bucket_fast(value[:, i], o.oov_buckets)
        number = tf.where(term.id[:, i] >= 0, term.id[:, i], oov) + 1
        out[f"{column}_id"] = tf.where(missing[:, i], tf.zeros_like(number), number)
    return out


def cross(inputs: Inputs, options: Cross) -> Tensors:
    """Hash the columns' values together into [0, buckets); missing takes part as ""."""
    import tensorflow as tf
    import tensorflow_transform as tft

    joined = tf.strings.join([texts(inputs[c]) for c in options.columns], _SEPARATOR)
    return {cross_name(options): tft.hash_strings(joined, options.buckets)}


def label(inputs: Inputs, options: Label) -> Tensors:
    """Return the label, int64 0 or 1. Rows without it never get here: ingest rejects them."""
    import tensorflow as tf

    if options.equals is not None:
        wanted = tf.constant([str(v) for v in options.equals.values])
        value = texts(inputs[options.equals.column])
        positive = tf.reduce_any(tf.equal(value[:, tf.newaxis], wanted), axis=1)
    else:
        assert options.exceeds is not None  # held by Label
        limit = tf.constant(options.exceeds.fraction, tf.float32)
        positive = numbers(inputs[options.exceeds.column]) > limit * numbers(
            inputs[options.exceeds.of]
        )
    return {options.name: tf.cast(positive, tf.int64)}


def cross_name(options: Cross) -> str:
    """Return the crossed feature's name."""
    return "_x_".join(options.columns)


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
        for suffix in ("z_score", "missing")
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
