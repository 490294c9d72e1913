"""What a fresh process does: load the export as a server would, and answer requests from files.

usage: python -m components.parity.fresh_process ENGINE,… SAVED_MODEL FOLDER

Goes in: FOLDER/ENGINE.calls.json, a list of `Call`, and their feeds as Arrow files; all are there
when standard input says `ALL_ASKED`, and until then the export is loaded. If it ends before that,
whoever was to ask is gone, and this process ends. Comes out: an `Answer` a call in
FOLDER/ENGINE.answers.json, and their outputs as Arrow files. ENGINE is `python`
(`tf.saved_model.load`, where TFT, Beam and Keras cannot be imported), `c_api` (the C++ loader,
where no TensorFlow Python runs), `batch` or `stream` (Beam, as `skewless predict` and
`skewless stream` run it). Engines work one after the other.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np

from components.parity.wire import read_arrays, write_arrays

PYTHON = "python"
C_API = "c_api"
BATCH = "batch"
STREAM = "stream"

ALL_ASKED = b"all asked\n"
CALLS_FILE = "{engine}.calls.json"
ANSWERS_FILE = "{engine}.answers.json"

# What made the export, and what serving it must do without.
_ABSENT = ("apache_beam", "keras", "tensorflow_transform", "tf_keras", "tfx", "tfx_bsl")


@dataclass(frozen=True)
class Call:
    """Requests to one signature.

    Attributes:
      name: of this call, unique.
      signature: which signature is asked.
      feeds: name of the Arrow file with its inputs.
      rows_per_request: how many rows go into one request.
    """

    name: str
    signature: str
    feeds: str
    rows_per_request: int


@dataclass(frozen=True)
class Answer:
    """What a call gave: the Arrow file of its outputs, or the error that it ended with."""

    name: str
    outputs: str | None
    error: str | None


class Engine(Protocol):
    """A way of asking a SavedModel."""

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request."""


def ask_in_parts(
    engine: Engine, signature: str, feeds: Mapping[str, np.ndarray], rows_per_request: int
) -> dict[str, np.ndarray]:
    """Return the outputs of as many requests as there are rows for."""
    rows = len(next(iter(feeds.values())))
    answers = [
        engine.run(
            signature, {name: v[start : start + rows_per_request] for name, v in feeds.items()}
        )
        for start in range(0, rows, rows_per_request)
    ]
    return {name: np.concatenate([a[name] for a in answers]) for name in answers[0]}


class PythonEngine:
    """`tf.saved_model.load`, with nothing importable of what made the export."""

    def __init__(self, saved_model: str) -> None:
        for name in _ABSENT:
            sys.modules[name] = None  # type: ignore[assignment]  # importing it raises
        import tensorflow as tf

        self._model = tf.saved_model.load(saved_model)

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request."""
        import tensorflow as tf

        tensors = {name: tf.constant(values) for name, values in feeds.items()}
        if hasattr(self._model, signature):  # takes a dict, whose keys are free
            outputs = getattr(self._model, signature)(tensors)
        else:
            outputs = self._model.signatures[signature](**tensors)
        return {name: tensor.numpy() for name, tensor in outputs.items()}


class CApiEngine:
    """TensorFlow's C++ loader and session."""

    def __init__(self, saved_model: str) -> None:
        _offer_protos_alone()
        from components.parity.c_api import SavedModel

        self._model = SavedModel(saved_model)

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request."""
        return self._model.run(signature, feeds)


def _offer_protos_alone() -> None:
    """Make `tensorflow.core`, its generated protos, importable without TensorFlow's Python.

    TensorFlow's own `__init__` loads all of it, 2 to 5 s and what this process is to do without.
    """
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("TensorFlow is not installed")
    package = types.ModuleType("tensorflow")
    package.__path__ = list(spec.submodule_search_locations)
    package.__spec__ = spec
    sys.modules["tensorflow"] = package


def _batch(saved_model: str) -> Engine:
    _offer_everything()
    from components.parity.scoring import BatchEngine

    return BatchEngine(saved_model)


def _stream(saved_model: str) -> Engine:
    _offer_everything()
    from components.parity.scoring import StreamEngine

    return StreamEngine(saved_model)


def _offer_everything() -> None:
    """Make importable again what `PythonEngine` did without."""
    for name in _ABSENT:
        if sys.modules.get(name, "") is None:
            del sys.modules[name]


ENGINES: dict[str, Callable[[str], Engine]] = {
    PYTHON: PythonEngine,
    C_API: CApiEngine,
    BATCH: _batch,
    STREAM: _stream,
}


def answer(engine: Engine, call: Call, folder: str, file: str) -> Answer:
    """Run a call's requests and write what they give to `file` in the folder."""
    feeds = read_arrays(os.path.join(folder, call.feeds))
    try:
        outputs = ask_in_parts(engine, call.signature, feeds, call.rows_per_request)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the answer
        return Answer(call.name, None, f"{type(error).__name__}: {error}")
    write_arrays(os.path.join(folder, file), outputs)
    return Answer(call.name, file, None)


def main(engines: str, saved_model: str, folder: str) -> None:
    """Load the export and answer every call of the folder, by each engine."""
    first, *others = engines.split(",")
    loaded = _load(first, saved_model)
    if sys.stdin.buffer.readline() != ALL_ASKED:
        raise SystemExit("nobody asks any more")
    _answer_all(first, loaded, folder)
    for engine in others:
        _answer_all(engine, _load(engine, saved_model), folder)


def _load(engine: str, saved_model: str) -> Engine:
    try:
        return ENGINES[engine](saved_model)
    except Exception as error:
        raise SystemExit(f"the export does not load: {type(error).__name__}: {error}") from error


def _answer_all(engine: str, loaded: Engine, folder: str) -> None:
    calls_file = os.path.join(folder, CALLS_FILE.format(engine=engine))
    with open(calls_file, encoding="utf-8") as file:
        calls = [Call(**fields) for fields in json.load(file)]
    answers = [
        asdict(answer(loaded, call, folder, f"{engine}.{number}.arrow"))
        for number, call in enumerate(calls)
    ]
    answers_file = os.path.join(folder, ANSWERS_FILE.format(engine=engine))
    with open(f"{answers_file}.partial", "w", encoding="utf-8") as file:
        json.dump(answers, file)
    os.replace(f"{answers_file}.partial", answers_file)


if __name__ == "__main__":
    main(*sys.argv[1:])
