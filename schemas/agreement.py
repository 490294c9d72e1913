"""The check that pipeline.yaml and schema.pbtxt fit: columns are there, of the right type, apart.

Goes in: both, read. Comes out: nothing, or an error that names the place, before any data is read.
"""

from __future__ import annotations

from collections import Counter

from schemas.columns import LARGEST_INTEGER, SPACES, Column, find
from schemas.errors import ConfigError
from schemas.spec import Spec
from schemas.yaml_text import PLAIN_INTEGER

# The transform stage keeps a column of its own beside the dataset's.
RESERVED = ("skewless_origin",)


def check(spec: Spec, columns: tuple[Column, ...], *, where: str) -> None:
    """Check pipeline.yaml against the columns of schema.pbtxt.

    Args:
      spec: pipeline.yaml.
      columns: of schema.pbtxt.
      where: the path of pipeline.yaml.

    Raises:
      ConfigError: a column is not there, is of the wrong type, or gives away the answer; two
        transformed features have one name; the label can never be 1.
    """
    _check_features(spec, columns, where)
    for name in (*spec.splits.columns, *spec.evaluation.slices):
        find(columns, name, where=f"{where}: splits.key, evaluation.slices")
    _check_label(spec, columns, where)
    _check_names(spec, columns, where)


def _check_features(spec: Spec, columns: tuple[Column, ...], where: str) -> None:
    for feature in spec.features:
        column = find(columns, feature.column, where=f"{where}: features")
        for treatment in feature.treatments:
            _check_kind(treatment.kind, column, treatment.accepts, f"{where}: features")
    for cross in spec.crosses:
        for name in cross.columns:
            column = find(columns, name, where=f"{where}: crosses")
            _check_kind("a cross", column, cross.accepts, f"{where}: crosses")
    for name in spec.feature_columns:
        if not find(columns, name, where=where).serving:
            raise ConfigError(
                f"the feature {name!r} is not known when serving",
                where=f"{where}: features, crosses",
                expected="columns of the SERVING environment: others leak the answer",
                remedy="drop the feature, or its not_in_environment in schema.pbtxt",
            )


def _check_label(spec: Spec, columns: tuple[Column, ...], where: str) -> None:
    for name in spec.label.columns:
        column = find(columns, name, where=f"{where}: label")
        if spec.label.exceeds is not None:
            _check_kind("label.exceeds", column, ("INT", "FLOAT"), f"{where}: label")
        else:
            _check_kind("label.equals", column, ("INT", "BYTES"), f"{where}: label")
            _check_values(spec, column, f"{where}: label.equals.values")
    if spec.label.outcome in spec.feature_columns:
        raise ConfigError(
            f"the feature {spec.label.outcome!r} is what the label is made from",
            where=f"{where}: features, crosses",
            expected="columns that do not hold the answer",
            remedy="drop the feature",
        )


def _check_values(spec: Spec, column: Column, where: str) -> None:
    """Refuse a value of the label that a column of this type, read in this way, never has."""
    assert spec.label.equals is not None  # the caller has seen to it
    source = spec.source
    for value in spec.label.equals.values:
        problem = ""
        if column.kind == "INT":
            if not PLAIN_INTEGER.fullmatch(str(value)):
                problem = "is INT: its values are whole numbers, written as 1 or -20"
            elif abs(int(value)) > LARGEST_INTEGER:
                problem = "is INT: its values are within ±2**53"
        elif str(value) in ("", *source.null_values):
            problem = "has no such value: source.null_values makes it a missing one"
        elif source.trim and str(value) != str(value).strip(SPACES):
            problem = "has no such value: source.trim drops the spaces around it"
        if problem:
            raise ConfigError(
                f"the label's value {value!r} never occurs: the column {column.name!r} {problem}",
                where=where,
                expected="values as the column has them",
                remedy="correct the value, or the column's type in schema.pbtxt",
            )


def _check_names(spec: Spec, columns: tuple[Column, ...], where: str) -> None:
    for name in (*(column.name for column in columns), spec.label.name):
        if name in RESERVED:
            raise ConfigError(
                f"the name {name!r} is taken by the transform stage",
                where=where,
                remedy="rename the column or the label",
            )
    names = Counter((*spec.transformed_names, spec.label.name))
    for name, count in names.items():
        if count > 1:
            raise ConfigError(
                f"two transformed features would be called {name!r}",
                where=f"{where}: features, crosses, label",
                expected="names that differ: COLUMN_z_score and COLUMN_missing, COLUMN_bucket,"
                " COLUMN_id, A_x_B, and the label's",
                remedy="rename the column or the label, or drop one of the treatments",
            )


def _check_kind(user: str, column: Column, accepted: tuple[str, ...], where: str) -> None:
    if column.kind not in accepted:
        raise ConfigError(
            f"{user} cannot take {column.name!r}, which is {column.kind}",
            where=where,
            expected=" or ".join(accepted),
            remedy="use another column, or correct its type in schema.pbtxt",
        )
