"""Decides what a label is: which task, and which class is positive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.profile.types import ALL_DIGITS, Typed, quoted
from components.profile.values import ColumnValues, skewness
from schemas.errors import ConfigError, DataError
from schemas.tasks.two_values import in_order
from schemas.types import FLOAT, INT

_MOST_CLASSES = 100  # of whole numbers and texts that are classes without being asked about
_SURELY_CLASSES = 10
_LONG_TAIL = 2.0
_FEW_ROWS = 20


@dataclass(frozen=True)
class Label:
    """What is predicted.

    Attributes:
      typed: the column.
      task: the kind of task.
      options: of the section `label` in pipeline.yaml, besides the column, as written there.
      domain: further lines of its feature in schema.pbtxt.
      summary: what it is, in a few words.
      doubts: what a person should look at.
      spellings: the positive class as each file writes it, where files differ.
      constant_r2: R² of the constant that training would find for a number.
    """

    typed: Typed
    task: str
    options: dict[str, object]
    domain: tuple[str, ...]
    summary: str
    doubts: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()
    constant_r2: float = 0.0


def label_of(typed: Typed, task: str | None, others: Sequence[str] = ()) -> Label:
    """Return what a column is as a label.

    Args:
      typed: the column.
      task: the task, if the user names it.
      others: values that only the files of eval and test have.

    Raises:
      DataError: it has less than two values.
      ConfigError: the task does not fit its values.
    """
    if ALL_DIGITS in typed.domain:  # a label is a float32 in any case
        typed = replace(typed, kind=FLOAT.name, domain=())
    values = typed.column
    if values.distinct < 2:
        only = f"it is always {values.top(1)[0]!r}" if values.distinct else "it is empty"
        raise DataError(
            f"there is nothing to learn about {values.name!r}: {only}",
            expected="a label with at least two values",
        )
    if typed.nature in ("list", "other"):
        raise ConfigError(
            f"{values.name!r} cannot be a label: {typed.doubt or 'it is a list'}",
            expected="a column of texts, numbers or booleans",
        )
    task = task or _task(typed)
    label = _BY_TASK[task](typed)
    return _with_others(label, others) if others and task != "regression" else label


def _with_others(label: Label, others: Sequence[str]) -> Label:
    """Return a label with the values of other files: other spellings, or a doubt."""
    texts = label.typed.column.top(label.typed.column.distinct)
    known = {_spelling(text): text for text in texts}
    meant = {text: known.get(_spelling(text)) for text in others}
    if label.task != "binary" or len(known) < len(texts) or None in meant.values():
        named = ", ".join(map(repr, others[:5]))
        doubt = f"the files of eval and test have other values, such as {named}: write them alike"
        return replace(label, doubts=(*label.doubts, doubt))
    positive = str(label.options["positive"])
    differing = ", ".join(map(repr, others[:5]))
    return replace(
        label,
        spellings=(positive, *(text for text, same in meant.items() if same == positive)),
        domain=_class_domain(label.typed, [*texts, *others]),
        doubts=(*label.doubts, f"the files write it differently: {differing}"),
    )


def _spelling(text: str) -> str:
    """Return a text without what different files write differently: case, spaces, a full stop."""
    return text.strip().rstrip(".").casefold()


def _task(typed: Typed) -> str:
    distinct = typed.column.distinct
    if distinct == 2 and typed.kind != FLOAT.name:
        return "binary"
    if typed.nature == "number" and (typed.kind == FLOAT.name or distinct > _SURELY_CLASSES):
        return "regression"
    if typed.nature == "time" or distinct > _MOST_CLASSES:
        raise ConfigError(
            f"{typed.column.name!r} has {distinct:,} different values, and they are not numbers",
            expected=f"two values, at most {_MOST_CLASSES} classes, or numbers",
            remedy="name another label, or --task multiclass",
        )
    return "multiclass"


def _binary(typed: Typed) -> Label:
    values = typed.column
    if values.distinct != 2:
        raise ConfigError(
            f"{values.name!r} has {values.distinct:,} different values, not two",
            expected="a label of two values for --task binary",
        )
    texts = values.top(2)  # True and False of booleans
    negative, positive = in_order(texts)
    share = values.counts[1][texts.index(positive)] / values.present
    options: dict[str, object] = {"task": "binary"} if typed.kind == INT.name else {}
    if not _is_flag(typed):
        options["positive"] = positive
    return Label(
        typed,
        "binary",
        options,
        _class_domain(typed, texts),
        f"{positive!r} ({share:.2%}) or {negative!r}",
        _few(values) + _strays(typed),
    )


def _multiclass(typed: Typed) -> Label:
    values = typed.column
    texts = values.top(values.distinct)
    doubts = _few(values) + _strays(typed)
    if typed.nature == "number":
        amounts = f"the label's {values.distinct} whole numbers count as classes"
        doubts += (f"{amounts}; if they are amounts, write `task: regression`",)
    return Label(
        typed,
        "multiclass",
        {"task": "multiclass", "classes": texts},
        _class_domain(typed, texts),
        f"one of {values.distinct} classes, most often {texts[0]!r}",
        doubts,
    )


def _regression(typed: Typed) -> Label:
    values = typed.column
    if typed.nature != "number":
        raise ConfigError(
            f"{values.name!r} is not a column of numbers: it has {values.top(1)[0]!r}",
            expected="a label of numbers for --task regression",
        )
    numbers = values.numbers
    known = numbers[~np.isnan(numbers)]
    tail = skewness(numbers) > _LONG_TAIL and known.min() >= 0
    options: dict[str, object] = {"task": "regression"} | ({"log1p": True} if tail else {})
    return Label(
        typed,
        "regression",
        options,
        (),
        f"a number, {known.mean():.6g} on average" + (", with a long tail" if tail else ""),
        _strays(typed),
        constant_r2=_constant_r2(known) if tail else 0.0,
    )


def _constant_r2(numbers: np.ndarray) -> float:
    """Return R² of the constant that is the mean of the logarithms, log1p as in training."""
    constant = np.expm1(np.log1p(numbers).mean())
    return -float((numbers.mean() - constant) ** 2 / numbers.var())


_BY_TASK = {"binary": _binary, "multiclass": _multiclass, "regression": _regression}


def _is_flag(typed: Typed) -> bool:
    """Return whether the label is a boolean of the file's own type, which is 0 or 1 in a run."""
    return pa.types.is_boolean(typed.column.array.type)


def _class_domain(typed: Typed, texts: list[str]) -> tuple[str, ...]:
    """Return a domain: another value of the label is a mistake that nothing else would find."""
    if _is_flag(typed):
        return typed.domain
    if typed.kind == INT.name:
        numbers = sorted(map(int, texts))
        return (f"int_domain {{ min: {numbers[0]} max: {numbers[-1]} }}",)
    listed = " ".join(f"value: {quoted(text)}" for text in texts)
    return (f"string_domain {{ name: {quoted(typed.column.name)} {listed} }}",)


def _few(values: ColumnValues) -> tuple[str, ...]:
    """Return a doubt about classes of which a split may have no row."""
    rare = values.counts[0].filter(pc.less(values.counts[1], _FEW_ROWS)).to_pylist()
    if not rare:
        return ()
    named = ", ".join(map(repr, rare[:5]))
    return (f"fewer than {_FEW_ROWS} rows have the label {named}: a split may have none of them",)


def _strays(typed: Typed) -> tuple[str, ...]:
    missing = typed.column.missing - typed.stray
    lost = f"{missing:,} rows have no label: they are rejected" if missing else ""
    return tuple(doubt for doubt in (typed.doubt, lost) if doubt)
