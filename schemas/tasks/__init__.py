"""The kinds of tasks, each with its options: what is predicted, judged and answered.

A kind has three parts: a file here with its options, a file of the same name in components/tasks
that implements it, and its class in `KINDS`. `label:` in pipeline.yaml names the kind; the sections
`evaluation.thresholds` and `export` have the options of the same kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeGuard, Union

import pydantic
from pydantic_core import PydanticCustomError

from schemas.columns import Column
from schemas.expectations import Expectation
from schemas.strict import named_kind
from schemas.tasks.binary import Binary
from schemas.tasks.multiclass import Multiclass
from schemas.tasks.options import ExportOptions, TaskOptions, ThresholdOptions
from schemas.tasks.regression import Regression

KINDS = (Binary, Multiclass, Regression)

_TASK = "task"
BY_NAME: dict[str, type[TaskOptions]] = {kind.model_fields[_TASK].default: kind for kind in KINDS}


def _require_task(value: Any) -> Any:
    """Refuse a label that is a column without a task, where `chosen` found none."""
    if is_open(value):
        raise PydanticCustomError(
            "no_task",
            "neither the label's options nor its column in schema.pbtxt decide the task, so it"
            " needs one: binary for two classes, multiclass for several, regression for a number",
            {"key": "column"},
        )
    return value


def _with_task(kinds: tuple[type[Any], ...]) -> Any:
    return pydantic.BeforeValidator(lambda value: named_kind(value, _TASK, kinds, what=_TASK))


if TYPE_CHECKING:
    Task = TaskOptions
    Export = ExportOptions
    Thresholds = ThresholdOptions
else:
    _DISCRIMINATOR = pydantic.Discriminator(_TASK)
    _EXPORTS = tuple(kind.EXPORT for kind in KINDS)
    _THRESHOLDS = tuple(kind.THRESHOLDS for kind in KINDS)
    Task = Annotated[
        Union[KINDS],  # noqa: UP007 - of a tuple
        _DISCRIMINATOR,
        _with_task(KINDS),
        pydantic.BeforeValidator(_require_task),
    ]
    Export = Annotated[Union[_EXPORTS], _DISCRIMINATOR, _with_task(_EXPORTS)]  # noqa: UP007
    Thresholds = Annotated[Union[_THRESHOLDS], _DISCRIMINATOR, _with_task(_THRESHOLDS)]  # noqa: UP007

_TASKS: pydantic.TypeAdapter[TaskOptions] = pydantic.TypeAdapter(Task)
_EXPORT: pydantic.TypeAdapter[ExportOptions] = pydantic.TypeAdapter(Export)


def is_open(label: Any) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a section `label` is a column without a task."""
    return isinstance(label, Mapping) and "column" in label and _TASK not in label


def chosen(label: Mapping[str, Any], column: Column, expectation: Expectation) -> Mapping[str, Any]:
    """Return a section `label` that is a column with its task, if something decides it.

    That are the options, if only one task has them all, or else the column's type and domain.

    >>> column, domain = Column("price", "FLOAT", serving=False), Expectation(name="price")
    >>> chosen({"column": "price"}, column, domain)["task"]
    'regression'
    """
    known = {key for kind in KINDS for key in kind.model_fields if key in label}
    by_options = [kind for kind in KINDS if known <= kind.model_fields.keys()]
    suitable = [kind for kind in by_options or KINDS if kind.suits(column, expectation)]
    for kinds in (by_options, suitable):
        if len(kinds) == 1:
            return {**label, _TASK: kinds[0].model_fields[_TASK].default}
    return label


def loads(text: str) -> TaskOptions:
    """Read a task's options from the JSON that `model_dump_json` makes of them."""
    return _TASKS.validate_json(text)


def loads_export(text: str) -> ExportOptions:
    """Read the options of an export from the JSON that `model_dump_json` makes of them."""
    return _EXPORT.validate_json(text)


def hand_down(value: Any) -> Any:
    """Copy the task that `label` names to the other sections of pipeline.yaml that depend on it.

    >>> hand_down({"label": {"task": "binary"}, "export": {"warnings": True}})["export"]
    {'warnings': True, 'task': 'binary'}
    """
    label = value.get("label") if isinstance(value, Mapping) else None
    task = label.get(_TASK) if isinstance(label, Mapping) else getattr(label, _TASK, None)
    if task not in BY_NAME:  # no task is named, or validating the label reports the error
        return value
    evaluation = value.get("evaluation", {})
    if isinstance(evaluation, Mapping):
        evaluation = _of_task(evaluation, "thresholds", task)
    return _of_task({**value, "evaluation": evaluation}, "export", task)


def _of_task(value: Mapping[str, Any], key: str, task: str) -> dict[str, Any]:
    section = value.get(key, {})
    if not isinstance(section, Mapping):
        return dict(value)
    return {**value, key: {**section, _TASK: task}}
