"""The signatures of an export as plain data: their names, inputs and outputs.

The functions take a dataset's columns and the model's layout. They return the raw columns that each
signature takes, their types, and the stand-ins for missing values. The module does not import
TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.layout import Layout
from schemas.signatures import ABOUT_A_ROW as ABOUT_A_ROW
from schemas.signatures import BASELINE_SCORES as BASELINE_SCORES
from schemas.signatures import BY_COLUMN as BY_COLUMN
from schemas.signatures import CLASS as CLASS
from schemas.signatures import CLASSES as CLASSES
from schemas.signatures import CLASSIFICATION as CLASSIFICATION
from schemas.signatures import COVERED as COVERED
from schemas.signatures import EVALUATION as EVALUATION
from schemas.signatures import EXAMPLE_INPUTS as EXAMPLE_INPUTS
from schemas.signatures import EXAMPLES as EXAMPLES
from schemas.signatures import INPUTS as INPUTS
from schemas.signatures import LABEL as LABEL
from schemas.signatures import LISTS_TOO_LONG as LISTS_TOO_LONG
from schemas.signatures import LOGITS as LOGITS
from schemas.signatures import LOWER as LOWER
from schemas.signatures import METHOD_NAMES as METHOD_NAMES
from schemas.signatures import MISSING_IN_LISTS as MISSING_IN_LISTS
from schemas.signatures import NOT_BOOLEANS as NOT_BOOLEANS
from schemas.signatures import NOT_INTEGERS as NOT_INTEGERS
from schemas.signatures import NOT_NUMBERS as NOT_NUMBERS
from schemas.signatures import NOT_TIMES as NOT_TIMES
from schemas.signatures import OUT_OF_VOCABULARY as OUT_OF_VOCABULARY
from schemas.signatures import OUTPUTS as OUTPUTS
from schemas.signatures import PADDING as PADDING
from schemas.signatures import PREDICT as PREDICT
from schemas.signatures import PREDICTION_SET as PREDICTION_SET
from schemas.signatures import PROBABILITIES as PROBABILITIES
from schemas.signatures import RAW_COLUMNS as RAW_COLUMNS
from schemas.signatures import REGRESSION as REGRESSION
from schemas.signatures import SCORE as SCORE
from schemas.signatures import SCORES as SCORES
from schemas.signatures import SERVING_DEFAULT as SERVING_DEFAULT
from schemas.signatures import SPREAD as SPREAD
from schemas.signatures import TRANSFORM_FEATURES as TRANSFORM_FEATURES
from schemas.signatures import UNCALIBRATED_SCORES as UNCALIBRATED_SCORES
from schemas.signatures import UPPER as UPPER
from schemas.signatures import WARNINGS as WARNINGS
from schemas.tasks.options import ExportOptions, TaskOptions


def methods(answers: ExportOptions) -> tuple[str, ...]:
    """Return the signatures that a task has for TensorFlow Serving's :classify and :regress."""
    return tuple(name for name in METHOD_NAMES if name in answers.METHODS)


def serving_columns(columns: Iterable[Column], layout: Layout) -> tuple[Column, ...]:
    """Return the raw columns a request contains: those the transformed features are made from.

    Raises:
      ConfigError: a feature is made from a column that a request cannot contain.
    """
    by_name = {c.name: c for c in columns}
    for name in layout.raw_columns:
        if name not in by_name or not by_name[name].serving:
            raise ConfigError(
                f"the model uses column {name!r}, which no request carries",
                where="schema.pbtxt",
                expected="every feature's columns in the environment SERVING",
                remedy=f"drop the feature, or {name!r}'s not_in_environment",
            )
    return tuple(by_name[name] for name in layout.raw_columns)


def evaluation_columns(
    columns: Iterable[Column], layout: Layout, label: TaskOptions
) -> tuple[Column, ...]:
    """Return the raw columns that EVALUATION takes: the serving ones, then the label's own."""
    columns = tuple(columns)
    serving = serving_columns(columns, layout)
    names = {c.name for c in serving}
    own = {name for name in label.columns if name not in names}
    return serving + tuple(c for c in columns if c.name in own)


def argument_names(columns: Iterable[str]) -> dict[str, str]:
    """Return, by column, the name of its argument when Python calls a signature.

    An input of a SignatureDef may have any name, so it has the column's name. The Python function
    that `tf.saved_model.load` makes of it cannot have all of these names: TensorFlow changes
    `hours-per-week` to `hours_per_week` on both sides of the call, fails where two columns get the
    same name (`a b`, `a_b`) or differ only in case (`age`, `Age`), and has its own `self`. Where
    a name conflicts, a number is added.

    >>> argument_names(["age", "Age", "a b", "a_b", "self"])
    {'age': 'age', 'Age': 'Age_2', 'a b': 'a_b', 'a_b': 'a_b_2', 'self': 'self_2'}
    """
    taken = {"self"}
    arguments = {}
    for column in columns:
        plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in column)
        base = name = plain if plain[:1].isalpha() else f"arg_{plain}"
        number = 2
        while name.lower() in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name.lower())
        arguments[column] = name
    return arguments
