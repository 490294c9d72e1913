"""`skewless.load`: a pushed model in this process, which scores rows of raw values."""

from __future__ import annotations

import functools
import html
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from components import files
from components.score.columns import as_column
from components.score.scorer import Scorer
from pipeline import explain as why
from pipeline.scoring import ModelFolder
from schemas import description
from schemas.columns import Column
from schemas.errors import ConfigError, DataError
from skewless.recorded import Run

if TYPE_CHECKING:
    import pandas as pd

    from components.serve.explanation import RowExplainer, RowExplanation

_BATCH_ROWS = 65_536
_ROWS = "the rows to score"
_ROW = "the row to explain"
_KINDS = "a pandas DataFrame, an Arrow table, or a dict of columns"


class Model:
    """A model in memory; may be called by several threads at once.

    Attributes:
      saved_model: the SavedModel's folder.
      inputs: the raw columns that it takes.
      outputs: Arrow's type of each output, by name.
      description: what the push recorded of the model, as in model.json; None for a SavedModel that
        was not pushed.
    """

    def __init__(self, saved_model: str, *, signature: str | None = None) -> None:
        self._scorer = Scorer(saved_model, signature)
        taken = self._scorer.signature
        self.saved_model = saved_model
        self.inputs: tuple[Column, ...] = taken.inputs
        self.outputs: pa.Schema = taken.output_schema
        self.description = description.read(saved_model)

    def predict(self, rows: pd.DataFrame | pa.Table | pa.RecordBatch | Mapping[str, Any]) -> Any:
        """Score rows.

        >>> model = load("runs/taxi")  # doctest: +SKIP
        >>> model.predict(frame)["score"].mean()  # doctest: +SKIP
        0.1931

        Args:
          rows: the model's raw columns, and any others; null, None or NaN is missing. Columns of a
            dict are lists, arrays of NumPy or series of pandas. Booleans and times have types of
            their own, or are written as the schema says.

        Returns:
          The outputs, a row for each of `rows`: `score`, `class` and so on. A DataFrame with the
          same index for a DataFrame, otherwise an Arrow table.

        Raises:
          DataError: a column is not there, or its values are not of its type.
          TypeError: `rows` is something else.
        """
        if isinstance(rows, pa.RecordBatch):
            rows = pa.Table.from_batches([rows])
        if isinstance(rows, pa.Table):
            return self._scores(rows)
        if isinstance(rows, Mapping):
            return self._scores(_as_table(rows, self.inputs))
        if hasattr(rows, "columns") and hasattr(rows, "index"):
            scores = self._scores(_as_table(dict(rows.items()), self.inputs))
            return scores.to_pandas().set_index(rows.index)
        raise TypeError(f"rows to score are {_KINDS}, not {type(rows).__name__}")

    def explain(self, row: Mapping[str, Any]) -> RowExplanation:
        """Explain the answer for a row: what each raw column adds to it, by Shapley values.

        >>> why = model.explain({"fare": 12.5, "company": "Flash Cab"})  # doctest: +SKIP
        >>> [(each.column, each.adds) for each in why.contributions[:3]]  # doctest: +SKIP

        Args:
          row: values of raw columns, as in the JSON of a request; a column that is None, or is not
            there, is missing.

        Returns:
          The answer, the contributions, which add up to the logit, and the slices of the row.

        Raises:
          DataError: the row does not fit the model.
          ModelError: the SavedModel has no training rows to compare a row with.
        """
        given = {name: value for name, value in row.items() if value is not None}
        try:
            text = json.dumps(given).encode()
        except (TypeError, ValueError) as error:
            raise DataError(
                f"a value cannot be written as JSON: {error}",
                where=_ROW,
                expected="numbers, texts, true, false, lists of them, or None",
            ) from error
        return why.explain_text(self._explainer, text, _ROW)

    @functools.cached_property
    def _explainer(self) -> RowExplainer:
        return why.explainer(self.saved_model)

    @property
    def metrics(self) -> dict[str, float | None]:
        """The figures of the model on the test split, by name; empty if it was not pushed."""
        return {} if self.description is None else dict(self.description.metrics[0].metrics)

    @property
    def card(self) -> str:
        """The text of MODEL_CARD.md, Markdown; empty if the model was not pushed."""
        path = os.path.join(self.saved_model, description.CARD_NAME)
        return files.read_text(path) if files.is_file(path) else ""

    def __repr__(self) -> str:
        return f"<skewless.Model {self.saved_model}: {len(self.inputs)} columns>"

    def _repr_html_(self) -> str:
        """Return a table of the columns, for notebooks."""
        title = html.escape(self.saved_model)
        if self.description is not None:
            title = f"<b>{html.escape(self.description.name)}</b>: {title}"
        rows = "".join(
            f"<tr><td>{html.escape(column.name)}</td><td>{column.kind}</td></tr>"
            for column in self.inputs
        )
        answers = html.escape(", ".join(self.outputs.names))
        return (
            f"<p>{title}</p><table><thead><tr><th>column</th><th>type</th></tr></thead>"
            f"<tbody>{rows}</tbody></table><p>answers: {answers}</p>"
        )

    def _scores(self, table: pa.Table) -> pa.Table:
        batches = table.combine_chunks().to_batches(max_chunksize=_BATCH_ROWS)
        return pa.Table.from_batches([self._scorer.score(b)[0] for b in batches], self.outputs)


def load(
    model: str | os.PathLike[str] | Run,
    *,
    version: int | None = None,
    signature: str | None = None,
) -> Model:
    """Load a pushed model.

    >>> load("runs/taxi", version=3)  # doctest: +SKIP
    <skewless.Model /home/ada/trips/runs/taxi/serving/3: 14 columns>

    Args:
      model: a run, as `skewless.run` returns it, for the version that it pushed; or a pipeline's
        folder, such as "runs/taxi", a folder of versions, or a SavedModel's; also in a store.
      version: its number; None means the newest one.
      signature: one over raw columns; None means `predict`, or `raw_columns` if there is no
        `predict`.

    Raises:
      ConfigError: there is no such folder or version, or the run pushed nothing.
      ModelError: the SavedModel does not load, or is not the one that was pushed.
    """
    if isinstance(model, Run):
        if model.saved_model is None:
            raise ConfigError(
                f"the run {model.id} of {model.pipeline} pushed no model: it is {model.status}",
                where=model.folder,
                expected="a run whose status is pushed or unchanged",
                remedy=f"load the newest version that was pushed: {model.pipeline_folder!r}",
            )
        model = model.saved_model
    return Model(ModelFolder.of(os.fspath(model)).version(version), signature=signature)


def _as_table(values: Mapping[str, Any], inputs: tuple[Column, ...]) -> pa.Table:
    arrays = {c.name: as_column(values[c.name], c, _ROWS) for c in inputs if c.name in values}
    if len(lengths := {len(array) for array in arrays.values()}) > 1:
        raise DataError(
            "the columns differ in length",
            where=_ROWS,
            expected="a value a row in each column",
            remedy=f"they have {', '.join(map(str, sorted(lengths)))} values",
        )
    return pa.table(arrays)
