"""Encodes the answers of :predict: a signature's outputs → JSON, in rows or in columns.

The outputs of a batch are converted to text once, however many requests share them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import numpy as np

from components.serve import json_text
from components.serve.failures import RequestError
from components.serve.shares import Share
from components.serve.tensors import list_of, texts_of

_PREDICTIONS, _OUTPUTS = "predictions", "outputs"


def answer(outputs: Mapping[str, np.ndarray], *, by_rows: bool) -> bytes:
    """Return the body with these outputs; a single output has no name.

    Raises:
      RequestError: rows are requested, but the outputs differ in their numbers of rows.
    """
    sizes = {array.shape[:1] for array in outputs.values()}
    if by_rows and (len(sizes) != 1 or () in sizes):
        shapes = {name: list(array.shape) for name, array in outputs.items()}
        raise RequestError(f"the outputs are not of one row an instance: shapes {shapes}")
    columns = {name: _texts_of(name, outputs) for name in sorted(outputs)}
    if by_rows:
        return b'{"%b":[%b]}' % (_PREDICTIONS.encode(), _rows_of(columns))
    whole = {
        name: list_of(texts) if outputs[name].ndim else texts[0] for name, texts in columns.items()
    }
    document, *others = whole.values()
    if others:
        document = _object_of(whole) % (document, *others)
    return b'{"%b":%b}' % (_OUTPUTS.encode(), document)


def _rows_of(columns: Mapping[str, Sequence[bytes]]) -> bytes:
    """Return rows as JSON, separated by commas."""
    values = list(columns.values())
    if len(values) == 1:
        return b",".join(values[0])
    rows = b",".join([_object_of(columns)] * len(values[0]))
    return rows % (*chain.from_iterable(zip(*values, strict=True)),)


def _object_of(names: Iterable[str]) -> bytes:
    """Return a JSON object with these names, and a %b for every value."""
    keys = (json_text.dumps(name).replace(b"%", b"%%") for name in names)
    return b"{%b}" % b",".join(b"%b:%%b" % key for key in keys)


def _texts_of(name: str, outputs: Mapping[str, np.ndarray]) -> list[bytes]:
    """Return an output's rows as JSON."""
    if isinstance(outputs, Share):  # converting a batch takes little longer than one row of it
        return outputs.of_batch(name, texts_of)[outputs.rows]
    return texts_of(name, outputs[name])
