"""Explains the answer for a row: what each raw column adds to it, and the slices that it is in.

A row is parsed as that of a request to :predict, and refused with the same errors. It is scored by
the served graph with some of its values replaced by those of training rows, which the SavedModel
has in its folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from components.examples import as_raw_columns
from components.explain.shapley import ShapleyValues, shapley_values
from components.export import background
from components.export import signatures as names
from components.serve import json_text
from components.serve.failures import UNIMPLEMENTED, GraphError, RequestError
from components.serve.loaded import Servable
from components.serve.messages import Arrays
from components.serve.predict import ROWS, Instances, joined, parse
from components.serve.shares import concatenated
from components.serve.tensors import texts_of
from schemas.columns import Column
from schemas.description import Description
from schemas.strict import Strict
from schemas.tasks import BY_NAME
from schemas.types import FLOAT

MOST_ROWS = 110_000
_MOST_REQUESTED = 10_000  # by a request
_MOST_VALUES = 5_000_000  # rows times columns, of wide tables
_MISSING, _OTHER = "(missing)", "(other)"


class Contribution(Strict):
    """What a raw column adds to an answer.

    Attributes:
      column: its name.
      value: of the row, as in its JSON; None if it is missing.
      adds: to each output, such as a logit for each class.
      error: the standard error of each of these; 0 where they are exact.
    """

    column: str
    value: Any
    adds: tuple[float, ...]
    error: tuple[float, ...]


class RowSlice(Strict):
    """A slice of the test split that a row is in.

    Attributes:
      name: "column = value".
      rows: how many rows of the test split are in it.
      metrics: of the model on these.
    """

    name: str
    rows: int
    metrics: dict[str, float | None]


class RowExplanation(Strict):
    """Why a model gives a row its answer.

    Attributes:
      answer: the outputs of `predict` for the row.
      output: what is explained: "logit", or "prediction" of a model without logits.
      classes: the class of each output; none of a model with one output.
      base: of each output, the mean over the background.
      value: of each output, that of the row: `base` and all contributions added up.
      contributions: of the raw columns, the greatest first, by all outputs together.
      exact: whether contributions are exact, given the background.
      background: how many training rows the row was compared with.
      scored: how many rows were scored.
      slices: that the row is in.
    """

    answer: dict[str, Any]
    output: str
    classes: tuple[str, ...]
    base: tuple[float, ...]
    value: tuple[float, ...]
    contributions: tuple[Contribution, ...]
    exact: bool
    background: int
    scored: int
    slices: tuple[RowSlice, ...]


class RowExplainer:
    """Explains rows by a loaded SavedModel.

    Args:
      model: the loaded SavedModel.
      rows: the file of its background; None if it has none.
      description: its model.json; None if there is none.

    Raises:
      RequestError: the SavedModel has no training rows to compare a row with.
    """

    def __init__(
        self, model: Servable, rows: bytes | None, description: Description | None
    ) -> None:
        if rows is None or not {names.RAW_COLUMNS, names.PREDICT} <= model.signatures.keys():
            raise RequestError(
                "the model has no training rows to compare a row with; models that the pipeline"
                " exports from now on have",
                UNIMPLEMENTED,
            )
        self._model = model
        self._description = description
        inputs = model.signatures[names.RAW_COLUMNS].inputs
        self._columns = {name: each.column for name, each in inputs.items() if each.column}
        self._background = as_raw_columns(background.parse(rows), self._columns.values())

    def explain(self, row: Mapping[str, Any], *, most_rows: int = MOST_ROWS) -> RowExplanation:
        """Explain a row of JSON; columns that it lacks are missing.

        Args:
          row: values by column.
          most_rows: how many rows to score, about.

        Raises:
          RequestError: the row does not fit the model.
        """
        signature = self._model.signatures[names.RAW_COLUMNS]
        inputs = parse({ROWS: [row]}, signature, optional=True).inputs
        arrays = joined([inputs]) if isinstance(inputs, Instances) else inputs
        predicted = self._run(names.PREDICT, arrays)
        lists = [name for name, column in self._columns.items() if column.is_list]
        pool = concatenated([arrays, self._background], lists)
        output = names.LOGITS if names.LOGITS in signature.outputs else names.SCORES
        found = shapley_values(
            lambda rows: self._run(names.RAW_COLUMNS, rows)[output],
            pool,
            most_rows=min(most_rows, _MOST_VALUES // max(len(pool), 1)),
        )
        return RowExplanation(
            answer={name: _plain(name, values) for name, values in predicted.items()},
            output="logit" if output == names.LOGITS else "prediction",
            classes=self._classes(len(found.base)),
            base=tuple(found.base.tolist()),
            value=tuple(found.answer.tolist()),
            contributions=tuple(_contributions(found, row)),
            exact=found.exact,
            background=found.background,
            scored=found.scored,
            slices=tuple(self._slices(arrays, row)),
        )

    def _run(self, signature: str, arrays: Mapping[str, np.ndarray]) -> Arrays:
        try:
            return self._model.run(signature, arrays)
        except GraphError as error:
            raise error.explained() from error

    def _classes(self, outputs: int) -> tuple[str, ...]:
        if outputs == 1:
            return ()
        described = () if self._description is None else self._description.classes
        return described if len(described) == outputs else tuple(map(str, range(outputs)))

    def _slices(self, arrays: Mapping[str, np.ndarray], row: Mapping[str, Any]) -> list[RowSlice]:
        """Return the slices of model.json that the row is in, in the order of the columns."""
        if self._description is None:
            return []
        known = {each.name: each for each in self._description.metrics if each.name}
        found = []
        for name, column in self._columns.items():
            texts = _slice_names(column, arrays[name], row.get(name))
            text = next((t for t in texts if t in known), None)
            if text is not None:
                figures = known[text].metrics
                shown = {m: figures.get(m) for m in BY_NAME[self._description.task].SLICED}
                found.append(RowSlice(name=text, rows=known[text].rows, metrics=shown))
        return found


def _slice_names(column: Column, array: np.ndarray, value: Any) -> Iterator[str]:
    """Yield the names of the slices of a column that a row may be in, the nearest first."""
    if column.is_list:
        return
    (held,) = array.tolist()
    is_missing = value is None or held in (b"", "") or held != held
    if is_missing:
        yield f"{column.name} = {_MISSING}"
        return
    if isinstance(held, bytes):
        yield f"{column.name} = {held.decode(errors='replace')}"
    elif column.type is FLOAT:
        yield f"{column.name} = {np.float32(held)}"
    else:
        yield f"{column.name} = {int(held)}"
    yield f"{column.name} = {_OTHER}"


def _contributions(found: ShapleyValues, row: Mapping[str, Any]) -> list[Contribution]:
    order = np.argsort(-np.abs(found.values).sum(axis=1), kind="stable")
    return [
        Contribution(
            column=found.columns[number],
            value=row.get(found.columns[number]),
            adds=tuple(found.values[number].tolist()),
            error=tuple(found.errors[number].tolist()),
        )
        for number in order
    ]


def _plain(name: str, values: np.ndarray) -> Any:
    """Return an output of one row as JSON values."""
    (text,) = texts_of(name, values)
    return json_text.loads_object(b'{"value":%b}' % text)["value"]


def explain_request(
    model: Servable, rows: bytes | None, described: bytes | None, document: Mapping[str, Any]
) -> bytes:
    """Return the body of the answer to :explain.

    Args:
      model: the loaded SavedModel.
      rows: the file of its background.
      described: its model.json.
      document: the parsed body of the request, with one row.

    Raises:
      RequestError: the row does not fit, or the model cannot be explained.
    """
    row = _only_row(document)
    description = None if described is None else Description.model_validate_json(described)
    explainer = RowExplainer(model, rows, description)
    found = explainer.explain(row, most_rows=_MOST_REQUESTED)
    return b'{"explanations":[%b]}' % found.model_dump_json().encode()


def _only_row(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a request, which has a list of one object, or lists of one value."""
    rows, columns = document.get(ROWS), document.get("inputs")
    if isinstance(columns, dict) and rows is None:
        alone = all(isinstance(values, list) and len(values) == 1 for values in columns.values())
        rows = [{name: value for name, (value,) in columns.items()}] if alone else None
    if isinstance(rows, list) and len(rows) == 1 and isinstance(rows[0], dict):
        return rows[0]
    raise RequestError(f":explain takes one row: {ROWS!r} with a list of one object was expected")
