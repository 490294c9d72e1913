"""The program of a fresh process: it loads the export as a server does, and answers requests.

usage: python -m components.parity.fresh_process PATH,… SAVED_MODEL FOLDER

The process reads FOLDER/PATH.calls.json, a list of `Call`, and their feeds as Arrow files. All
files are complete when standard input says `ALL_ASKED`; the export is loaded meanwhile. If standard
input ends before that, the asking process has ended, and this process ends, too. It writes a
`CallResult` a call into FOLDER/PATH.answers.json, and their outputs as Arrow files. PATH is
MODULE:CLASS of a `ServingPath`; several paths work one after the other.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from components.parity.serving_paths.protocol import ModelAddress, ServingPath
from components.parity.wire import read_arrays, write_arrays
from schemas.signatures import PADDING

ALL_ASKED = b"all asked\n"
CALLS_FILE = "{path}.calls.json"
ANSWERS_FILE = "{path}.answers.json"
# A server has the most to do, with half of the paths, so on few cores the others yield to it.
_NICENESS = 5


@dataclass(frozen=True)
class Call:
    """Requests to one signature.

    Attributes:
      name: of this call, unique.
      signature: the signature to run.
      feeds: name of the Arrow file with its inputs.
      rows_per_request: how many rows go into one request.
    """

    name: str
    signature: str
    feeds: str
    rows_per_request: int


@dataclass(frozen=True)
class CallResult:
    """The result of a call: the Arrow file of its outputs, or the error that it ended with."""

    name: str
    outputs: str | None
    error: str | None


def ask_in_parts(
    model: ServingPath, signature: str, feeds: Mapping[str, np.ndarray], rows_per_request: int
) -> dict[str, np.ndarray]:
    """Return the outputs of all rows, in as many requests as they need."""
    rows = len(next(iter(feeds.values())))
    answers = [
        model.run(
            signature, {name: v[start : start + rows_per_request] for name, v in feeds.items()}
        )
        for start in range(0, rows, rows_per_request)
    ]
    return {name: joined([a[name] for a in answers]) for name in answers[0]}


def joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return an output of several requests; lists are padded to the longest one."""
    if parts[0].ndim != 2:
        return np.concatenate(parts)
    width = max(1, *(part.shape[1] for part in parts))
    return np.concatenate([as_wide(part, width) for part in parts])


def as_wide(lists: np.ndarray, width: int) -> np.ndarray:
    """Return lists [rows, any width] padded to a width."""
    more = width - lists.shape[1]
    return np.pad(lists, [(0, 0), (0, more)], constant_values=PADDING) if more else lists


# Calls that follow each other often have the same feeds.
_read_feeds = functools.lru_cache(maxsize=1)(read_arrays)


def answer(model: ServingPath, call: Call, folder: str, file: str) -> CallResult:
    """Run a call's requests and write their outputs to `file` in the folder."""
    feeds = _read_feeds(os.path.join(folder, call.feeds))
    try:
        outputs = ask_in_parts(model, call.signature, feeds, call.rows_per_request)
    except Exception as error:  # noqa: BLE001  # every error is an answer
        return CallResult(call.name, None, f"{type(error).__name__}: {error}")
    write_arrays(os.path.join(folder, file), outputs)
    return CallResult(call.name, file, None)


def main(paths: str, saved_model: str, folder: str) -> None:
    """Load the export and answer every call of the folder, by each serving path."""
    first, *others = paths.split(",")
    loaded = _load(first, saved_model)
    if sys.stdin.buffer.readline() != ALL_ASKED:
        raise SystemExit("standard input ended before the questions were complete")
    _answer_all(first, loaded, folder)
    for path in others:
        _answer_all(path, _load(path, saved_model), folder)


def name_of(path: type[ServingPath]) -> str:
    """Return the MODULE:CLASS from which this process loads a serving path."""
    return f"{path.__module__}:{path.__qualname__}"


def _load(path: str, saved_model: str) -> ServingPath:
    module, _, name = path.partition(":")
    try:
        path_class: type[ServingPath] = getattr(importlib.import_module(module), name)
        return path_class(ModelAddress(saved_model))
    except Exception as error:
        raise SystemExit(f"the export does not load: {type(error).__name__}: {error}") from error


def _answer_all(path: str, loaded: ServingPath, folder: str) -> None:
    calls_file = os.path.join(folder, CALLS_FILE.format(path=path))
    with open(calls_file, encoding="utf-8") as file:
        calls = [Call(**fields) for fields in json.load(file)]
    answers = [
        asdict(answer(loaded, call, folder, f"{path}.{number}.arrow"))
        for number, call in enumerate(calls)
    ]
    loaded.close()
    answers_file = os.path.join(folder, ANSWERS_FILE.format(path=path))
    with open(f"{answers_file}.partial", "w", encoding="utf-8") as file:
        json.dump(answers, file)
    os.replace(f"{answers_file}.partial", answers_file)


if __name__ == "__main__":
    os.nice(_NICENESS)
    main(*sys.argv[1:])
    sys.stderr.flush()
    os._exit(0)  # the interpreter would spend a second on unloading TensorFlow
