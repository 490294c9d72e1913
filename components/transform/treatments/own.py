"""Runs the dataset's features.py inside the transform graph, and checks what it returns.

The function gets the columns as treatments do, and tensorflow_transform. Its errors name the line
of features.py.
"""

from __future__ import annotations

import functools
import linecache
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf
import tensorflow_transform as tft

from components.column_tensors import numbers, rounded
from components.transform.constants import constants_by_column, written_by_column
from components.transform.treatments.protocol import Use
from schemas.errors import ConfigError, did_you_mean
from schemas.layout import TransformedFeature
from schemas.treatments.own import NUMBER, Own, OwnFeature

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Boundary, Inputs, Tensors

FILE = "features.py"


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Return the features of all uses, float32 or int64 [rows]."""
    outputs: dict[str, tf.Tensor] = {}
    for use in uses:
        options: Own = use.options
        given = {name: _wide(inputs[name]) for name in use.columns}
        found = _called(options, given)
        _check_names(found, options)
        for feature in options.features:
            value = _checked(found[feature.name], feature, options.function)
            value = _with_rows(value, _rows(given[use.columns[0]]), feature.name)
            outputs[options.named(feature)] = _bounded(value, feature)
    return outputs


def _wide(column: Any) -> Any:
    """Return a column with floats as float64, in which subnormal quotients of them are exact."""
    if not column.dtype.is_floating:
        return column
    if isinstance(column, tf.RaggedTensor):
        return column.with_flat_values(_wide(column.flat_values))
    return numbers([column])[:, 0]


def _called(options: Own, given: Mapping[str, Any]) -> Any:
    """Call the function; whatever it raises becomes an error with the line of features.py."""
    function = options.function
    try:
        return _function(options.code, function)(given, tft)
    except Exception as error:
        raise ConfigError(
            f"{function} of {FILE} failed: {type(error).__name__}: {error}",
            where=f"{FILE}:{_line(error)}",
            expected="a function of tensors [rows] that returns tensors by name",
            remedy="correct that line",
        ) from error


@functools.lru_cache(maxsize=8)
def _function(code: str, name: str) -> Callable[..., Any]:
    """Run features.py, and return its function."""
    linecache.cache[FILE] = (len(code), None, code.splitlines(keepends=True), FILE)
    module: dict[str, Any] = {"__name__": "features", "__file__": FILE}
    exec(compile(code, FILE, "exec"), module)  # noqa: S102 - the user's own code
    function: Callable[..., Any] = module[name]
    return function


def _line(error: Exception) -> int:
    """Return the innermost line of features.py that an error went through."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == FILE]
    return (lines or [1])[-1] or 1


def _check_names(found: Any, options: Own) -> None:
    if not isinstance(found, Mapping):
        raise _wrong(
            f"{options.function} returns {type(found).__name__}",
            "a dict of tensors by the names in pipeline.yaml",
        )
    declared = [each.name for each in options.features]
    for name in declared:
        if name not in found:
            raise _wrong(
                f"{options.function} returns no {name!r}; {did_you_mean(name, map(str, found))}",
                f"the features that `own` of pipeline.yaml declares: {', '.join(declared)}",
            )
    for name in found:
        if name not in declared:
            raise _wrong(
                f"{options.function} returns {name!r}, which pipeline.yaml does not declare",
                f"{name}: number, or {name}: SIZE for ids, in `features` of `own`",
            )


def _checked(value: Any, feature: OwnFeature, function: str) -> tf.Tensor:
    """Return a tensor of the declared type and of shape [rows]."""
    name, is_number = f"{feature.name!r} of {function}", feature.size == NUMBER
    if not isinstance(value, tf.Tensor):
        raise _wrong(f"{name} is {type(value).__name__}", "a dense tensor of one value a row")
    if value.shape.rank != 1:
        raise _wrong(
            f"{name} has the shape {value.shape}",
            "the shape [rows]: one value a row",
            "select one column, or use tf.squeeze(…, axis=1)",
        )
    if is_number and not value.dtype.is_floating:
        raise _wrong(
            f"{name} is {value.dtype.name}, and declared as a number",
            "float32, or ids with their SIZE in pipeline.yaml",
            "use tf.cast(…, tf.float32), or declare a size",
        )
    if not is_number and not value.dtype.is_integer:
        raise _wrong(
            f"{name} is {value.dtype.name}, and declared as ids below {feature.size:,}",
            "int64, or `number` in pipeline.yaml",
            "use tft.hash_strings or tft.compute_and_apply_vocabulary for texts",
        )
    return rounded(tf.cast(value, tf.float64)) if is_number else tf.cast(value, tf.int64)


def _bounded(value: tf.Tensor, feature: OwnFeature) -> tf.Tensor:
    """Return 0 for what is not finite, or not an id below the size."""
    if feature.size == NUMBER:
        return tf.where(tf.math.is_finite(value), value, tf.zeros_like(value))
    known = (value >= 0) & (value < int(feature.size))
    return tf.where(known, value, tf.zeros_like(value))


def _with_rows(value: tf.Tensor, rows: tf.Tensor, name: str) -> tf.Tensor:
    """Return a feature; fail when it has another number of values than the batch has rows."""
    count = tf.shape(value)[0]
    holds = tf.debugging.Assert(
        tf.equal(count, rows), [f"{name} of {FILE} has as many values:", count, "rows:", rows]
    )
    with tf.control_dependencies([holds] if holds is not None else []):
        return tf.identity(value)


def _rows(column: Any) -> tf.Tensor:
    return tf.shape(column.row_starts() if isinstance(column, tf.RaggedTensor) else column)[0]


def _wrong(what: str, expected: str, remedy: str | None = None) -> ConfigError:
    return ConfigError(f"{what} ({FILE})", where=FILE, expected=expected, remedy=remedy)


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[Boundary]]:
    """Return, by column, numbers and texts that features.py may compare it with."""
    every = dict(constants_by_column(graph, features))
    written = written_by_column(graph, features)
    return {name: [*every[name], *own] for name, own in written.items()}
