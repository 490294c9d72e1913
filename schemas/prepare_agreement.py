"""Checks that `prepare:` of pipeline.yaml fits the columns of schema.pbtxt, and the label."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.columns import Column, find, refuse_list, require_type
from schemas.errors import ConfigError, did_you_mean
from schemas.expressions import parse
from schemas.expressions.engine import require_duckdb
from schemas.expressions.value_types import BOOLEAN
from schemas.prepare import Prepare
from schemas.tasks.options import TaskOptions
from schemas.types import FLOAT, INT

_RULE_CLASSES = ("0", "1")  # of a label that is made by a rule


def check_prepare(
    prepare: Prepare, columns: tuple[Column, ...], label: TaskOptions, *, where: str
) -> None:
    """Check the rules against the columns of schema.pbtxt.

    Args:
      prepare: the rules.
      columns: the columns of schema.pbtxt.
      label: what is predicted.
      where: the path of pipeline.yaml.

    Raises:
      ConfigError: an expression is wrong, a column does not exist or has the wrong type, DuckDB is
        needed and not installed, or the label has no such class.
    """
    if prepare.where:
        require_duckdb("prepare.where", where=f"{where}: prepare.where")
    for rule, text in prepare.conditions.items():
        parse(text, columns, where=f"{where}: {rule}", needs=BOOLEAN)
    for name in prepare.required:
        find(columns, name, where=f"{where}: prepare.required")
    if prepare.drop_duplicates is not None:
        section = f"{where}: prepare.drop_duplicates"
        for name in prepare.drop_duplicates.columns:
            refuse_list("drop_duplicates", find(columns, name, where=section), section)
    for name in prepare.outliers:
        section = f"{where}: prepare.outliers"
        column = find(columns, name, where=section)
        require_type("outliers", column, (INT, FLOAT), section)
        refuse_list("outliers", column, section)
    if prepare.sample is not None and prepare.sample.by_class:
        _check_classes(prepare.sample.by_class, label, f"{where}: prepare.sample")


def _check_classes(classes: Iterable[str], label: TaskOptions, where: str) -> None:
    known: tuple[str, ...] | None = _RULE_CLASSES
    if label.classes_of is not None:
        known = label.classes_of.listed  # None until the table has been read
    elif label.above is None and label.sought is None:
        raise ConfigError(
            f"a sample by classes is not for the label {label.name!r}, which has no classes",
            where=where,
            expected="prepare.sample: {fraction: …}",
        )
    for name in classes:
        if known is not None and name not in known:
            raise ConfigError(
                f"the label {label.name!r} has no class {name!r}; {did_you_mean(name, known)}",
                where=where,
                expected='classes by their names, in quotes; those of a rule are "0" and "1"',
            )
