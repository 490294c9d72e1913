"""The outputs of a model with classes under the names of the classes, instead of in their order.

A SavedModel answers with a list of probabilities, and of logits. A CSV file has a column for each
class, such as `probability_spam`, and JSON an object, `{"spam": 0.9, "ham": 0.1}`. Parquet has the
list, or such columns. The names are those of `model.json` beside the SavedModel; without it, the
lists remain.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from components import files
from components.score.formats import Format
from schemas.description import FILE_NAME, Description

# The outputs that are lists by class, each with the name of one value.
_OF_A_CLASS = {"probabilities": "probability", "logits": "logit"}


def classes_of(saved_model: str) -> tuple[str, ...]:
    """Return a SavedModel's classes in the order of their probabilities; none if unknown."""
    try:
        text = files.read_bytes(os.path.join(saved_model, FILE_NAME))
        return Description.model_validate_json(text).classes
    except (FileNotFoundError, ValueError):  # or another program's model.json
        return ()


# The same, read once for each version: a stream asks for every batch.
known_classes = functools.lru_cache(maxsize=64)(classes_of)


def named(batch: pa.RecordBatch, classes: Sequence[str], kind: Format) -> pa.RecordBatch:
    """Return outputs as a format has them."""
    columns = {
        name: array
        for output, outputs in zip(batch.schema.names, batch.columns, strict=True)
        for name, array in columns_of(output, outputs, classes, kind).items()
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def columns_of(
    output: str, array: pa.Array, classes: Sequence[str], kind: Format, *, by_class: bool = False
) -> dict[str, pa.Array]:
    """Return an output as columns by name: by class if it is a list of them, else as it is.

    A class whose name has a line break, which ends a header, has no column of its own.

    >>> array = pa.array([[0.25, 0.75]])
    >>> sorted(columns_of("probabilities", array, ["no", "yes"], "csv"))
    ['probability_no', 'probability_yes']

    Args:
      output: its name.
      array: its values, lists of equal length for each row.
      classes: their names in the order of the lists; none if they are unknown.
      kind: the format.
      by_class: whether Parquet has a column for each class, too.
    """
    if output not in _OF_A_CLASS or not pa.types.is_list(array.type) or not classes:
        return {output: array}
    of_classes = [pc.list_element(array, place) for place in range(len(classes))]
    if kind == "jsonl":
        return {output: pa.StructArray.from_arrays(of_classes, list(classes))}
    if (kind == "parquet" and not by_class) or any("\n" in c or "\r" in c for c in classes):
        return {output: array}
    names = [f"{_OF_A_CLASS[output]}_{name}" for name in classes]
    return dict(zip(names, of_classes, strict=True))
