"""What a path given to `skewless serve` means: a run, a serving folder or one SavedModel.

Goes in: a path and perhaps a version. Comes out: the folder of one SavedModel, its version and the
name it is served under. No TensorFlow is imported, so what is wrong is said at once.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from components.evaluate.published import SAVED_MODEL, versions
from schemas.errors import ConfigError

_SERVING = "serving"  # in a run's folder
_LONE_VERSION = 1  # of a SavedModel whose folder is not named by a number
_NAME = re.compile(r"[^/:]+")


@dataclass(frozen=True)
class Served:
    """One SavedModel.

    Attributes:
      saved_model: its folder.
      version: its number.
      name: of the model in paths.
    """

    saved_model: str
    version: int
    name: str


def find(path: str, *, version: int | None = None, name: str | None = None) -> Served:
    """Return the SavedModel to serve.

    Args:
      path: folder of a run, of numbered versions, or of a SavedModel.
      version: which one; None for the newest.
      name: what to call it; None for the name of the folder.

    Raises:
      ConfigError: there is no such folder or version, or the name cannot stand in a path.
    """
    path = os.path.abspath(path)
    if not os.path.isdir(path):
        raise ConfigError(
            f"there is no folder {path}",
            expected="a run (runs/taxi), a serving folder, or a SavedModel",
            remedy="run the pipeline first: skewless run taxi",
        )
    found = _saved_models(path)
    if version is None and found:
        version = max(found)
    if version is None or version not in found:
        raise _no_version(path, version, found)
    name = _default_name(path) if name is None else name
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"a model cannot be named {name!r}", expected="at least one character, none of / and :"
        )
    return Served(found[version], version, name)


def _saved_models(path: str) -> dict[int, str]:
    """Return the SavedModels that a path stands for, by version."""
    if _is_saved_model(path):
        last = os.path.basename(path)
        return {int(last) if last.isascii() and last.isdigit() else _LONE_VERSION: path}
    for folder in (os.path.join(path, _SERVING), path):
        found = {v: p for v, p in versions(folder).items() if _is_saved_model(p)}
        if found:
            return found
    return {}


def _is_saved_model(path: str) -> bool:
    return os.path.isfile(os.path.join(path, SAVED_MODEL))


def _no_version(path: str, version: int | None, found: dict[int, str]) -> ConfigError:
    if not found:
        return ConfigError(
            "there is no version to serve",
            where=path,
            expected=f"{SAVED_MODEL}, or folders named 1, 2, … that hold one",
            remedy="look at the run's report for why the model was not pushed",
        )
    known = ", ".join(map(str, sorted(found)))
    return ConfigError(f"there is no version {version}", where=path, expected=f"one of: {known}")


def _default_name(path: str) -> str:
    """Return the run's name: of RUN, RUN/serving and RUN/serving/3 the first folder's."""
    if _is_saved_model(path) and os.path.basename(path).isdigit():
        path = os.path.dirname(path)
    if os.path.basename(path) == _SERVING:
        path = os.path.dirname(path)
    return os.path.basename(path)
