"""What an export can be asked, in plain data: names of signatures, their inputs and outputs.

Goes in: a dataset's columns and the model's layout. Comes out: which raw columns each signature
takes, as what type, and what stands for a missing value. No TensorFlow is imported here.
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.layout import Layout
from schemas.spec import Label

SERVING_DEFAULT = "serving_default"  # serialised tf.Examples → scores, logits
RAW_COLUMNS = "raw_columns"  # one dense input a column → scores, logits
PREDICT = "predict"  # one dense input a column → what a person wants to know
TRANSFORM_FEATURES = "transform_features"  # serialised tf.Examples → transformed features
CLASSIFICATION = "classification"  # serialised tf.Examples → names of classes, scores [rows, 2]
REGRESSION = "regression"  # serialised tf.Examples → outputs
EVALUATION = "evaluation"  # raw columns and the label's → scores of model and baseline, label

EXAMPLES = "examples"  # input of SERVING_DEFAULT and TRANSFORM_FEATURES
INPUTS = "inputs"  # input of CLASSIFICATION and REGRESSION, as TensorFlow Serving names it

SCORES = "scores"
LOGITS = "logits"
CLASSES = "classes"
OUTPUTS = "outputs"
BASELINE_SCORES = "baseline_scores"
SCORE = "score"  # of PREDICT: the probability of the second class
CLASS = "class"  # of PREDICT: the second class's name where the score reaches the threshold
PROBABILITIES = "probabilities"  # of PREDICT: of both classes [rows, 2]
WARNINGS = "warnings"  # of PREDICT, if asked for: what is odd about a row, "" if nothing is
OUT_OF_VOCABULARY = "out_of_vocabulary"  # of PREDICT, if asked for: how many values of a row are
LABEL = "label"

# The input of each signature that takes serialised tf.Examples.
EXAMPLE_INPUTS = {
    SERVING_DEFAULT: EXAMPLES,
    TRANSFORM_FEATURES: EXAMPLES,
    CLASSIFICATION: INPUTS,
    REGRESSION: INPUTS,
}

# The signatures of a request's raw columns, each of which may be left out.
BY_COLUMN = (RAW_COLUMNS, PREDICT)

# What PREDICT tells of a row beside the model's answer.
ABOUT_A_ROW = (WARNINGS, OUT_OF_VOCABULARY)

# TensorFlow Serving answers :classify and :regress only from signatures marked so.
METHOD_NAMES = {
    CLASSIFICATION: "tensorflow/serving/classify",
    REGRESSION: "tensorflow/serving/regress",
}

# What the graph says before the names of columns with other values.
NOT_INTEGERS = "columns hold something else than integers within ±2**53"


def serving_columns(columns: Iterable[Column], layout: Layout) -> tuple[Column, ...]:
    """Return the raw columns a request carries: those the transformed features are made from.

    Raises:
      ConfigError: a feature is made from a column that no request can carry.
    """
    by_name = {c.name: c for c in columns}
    used = dict.fromkeys(name for f in layout.features for name in f.columns)
    for name in used:
        if name not in by_name or not by_name[name].serving:
            raise ConfigError(
                f"the model uses column {name!r}, which no request carries",
                where="schema.pbtxt",
                expected="every feature's columns in the environment SERVING",
                remedy=f"drop the feature, or {name!r}'s not_in_environment",
            )
    return tuple(by_name[name] for name in used)


def evaluation_columns(
    columns: Iterable[Column], layout: Layout, label: Label
) -> tuple[Column, ...]:
    """Return the raw columns that EVALUATION takes: the serving ones, then the label's own."""
    columns = tuple(columns)
    serving = serving_columns(columns, layout)
    names = {c.name for c in serving}
    own = {name for name in label.columns if name not in names}
    return serving + tuple(c for c in columns if c.name in own)


def argument_names(columns: Iterable[str]) -> dict[str, str]:
    """Return, by column, the argument that carries it when Python calls a signature.

    A SignatureDef names its inputs freely, and so do we: by the column. The Python function that
    `tf.saved_model.load` makes of it cannot: TensorFlow turns `hours-per-week` into
    `hours_per_week` on both sides of the call, stumbles where two columns become one (`a b`,
    `a_b`) or differ in case alone (`age`, `Age`), and has a `self` of its own. Where a name is in
    the way, a number is added.

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
