"""The versions in a serving folder, the model base path of TensorFlow Serving, and their digests.

The functions take paths. They return the versions, the newest version, and a digest that is equal
for two copies of a SavedModel.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator

from components import content, files
from schemas import description
from schemas.errors import ModelError

SAVED_MODEL = "saved_model.pb"
# Files that describe a SavedModel, which a push writes beside it; TensorFlow's loaders ignore them.
_BESIDE = frozenset({description.FILE_NAME, description.CARD_NAME})

# The custom property of a verdict's artifact that holds the digest of the SavedModel it is about.
JUDGED = "saved_model"

_VERSION = re.compile(r"[0-9]{1,18}")  # ASCII digits that fit an int64


def versions(serving_dir: str) -> dict[int, str]:
    """Return the paths of all entries that TensorFlow Serving treats as versions, oldest first.

    Entries with other names, such as hidden ones, are not versions. A folder that does not exist
    has no versions.
    """
    if files.in_store(serving_dir):  # a store has no rename: a version is complete with its graph
        graphs = (os.path.split(name) for name in files.walk(serving_dir))
        names = [folder for folder, name in graphs if name == SAVED_MODEL]
    else:
        names = files.names(serving_dir)
    numbered = sorted((name for name in names if _VERSION.fullmatch(name)), key=int)
    return {int(name): os.path.join(serving_dir, name) for name in numbered}


def newest(serving_dir: str) -> str | None:
    """Return the path of the version with the highest number, None if there is no version."""
    return next(reversed(versions(serving_dir).values()), None)


def content_digest(saved_model: str) -> str:
    """Return a SHA-256 over the names and contents of a SavedModel's files, as hexadecimal.

    Variables, vocabularies and warm-up requests count as much as the graph. Two exports of equal
    weights may differ, as TensorFlow numbers a process's functions; two copies never do, whatever
    model.json and MODEL_CARD.md say of each: they are not part of the model.
    """
    return content.of_folder(saved_model, without=_BESIDE)


def check_pushed(saved_model: str) -> None:
    """Check that a SavedModel is the one that its model.json was written for.

    A SavedModel without a model.json, or with another program's, is not checked.

    Raises:
      ModelError: files were changed, added or removed since the push, or model.json is not JSON.
      OSError: a file cannot be read.
    """
    path = os.path.join(saved_model, description.FILE_NAME)
    if not files.is_file(path):
        return
    try:
        described = json.loads(files.read_bytes(path))
    except ValueError as error:
        raise _damaged(saved_model, f"{description.FILE_NAME} cannot be read: {error}") from error
    digests = described.get("digests") if isinstance(described, dict) else None
    pushed = digests.get("saved_model") if isinstance(digests, dict) else None
    if isinstance(pushed, str) and (now := content_digest(saved_model)) != pushed:
        why = f"its SHA-256 is {now}, but {pushed} was pushed"
        raise _damaged(saved_model, f"the SavedModel is not the one that was pushed: {why}")


def _damaged(saved_model: str, what: str) -> ModelError:
    return ModelError(
        what,
        where=saved_model,
        expected=f"the files as they were pushed, as {description.FILE_NAME} describes them",
        remedy="copy the version again in full, or run the pipeline again, which pushes a new one",
    )


@contextlib.contextmanager
def judging_one(saved_model: str) -> Iterator[str]:
    """Yield the digest of a SavedModel, and check it again when the block ends without an error.

    A verdict applies only to files that did not change while the model was judged.

    Raises:
      ModelError: the SavedModel changed meanwhile.
    """
    digest = content_digest(saved_model)
    yield digest
    if (now := content_digest(saved_model)) != digest:
        raise changed(saved_model, digest, now)


def changed(saved_model: str, before: str, now: str) -> ModelError:
    """Return the error of a SavedModel that changed while a stage worked with it."""
    return ModelError(
        f"the SavedModel changed while it was used: its SHA-256 was {before} and is {now}",
        where=saved_model,
        remedy="run again when nothing else writes there",
    )
