"""What lies in a serving folder, the model base path of TensorFlow Serving, and which is the same.

Goes in: paths. Comes out: versions, the newest, and a digest that two copies of a SavedModel share.
"""

from __future__ import annotations

import hashlib
import os
import re

from components import files
from schemas import description

SAVED_MODEL = "saved_model.pb"
# What a push writes beside a SavedModel to describe it; TensorFlow's loaders pass them over.
_BESIDE = frozenset({description.FILE_NAME, description.CARD_NAME})

_VERSION = re.compile(r"[0-9]{1,18}")  # ASCII digits that fit an int64
_CHUNK = 1 << 20


def versions(serving_dir: str) -> dict[int, str]:
    """Return the paths of all entries that TensorFlow Serving takes for versions, oldest first.

    Entries with other names, hidden ones among them, are none. A folder that does not exist has
    no versions.
    """
    if files.in_store(serving_dir):  # there is no rename: a version is one once its graph is there
        graphs = (os.path.split(name) for name in files.walk(serving_dir))
        names = [folder for folder, name in graphs if name == SAVED_MODEL]
    else:
        names = files.names(serving_dir)
    wanted = sorted((name for name in names if _VERSION.fullmatch(name)), key=int)
    return {int(name): os.path.join(serving_dir, name) for name in wanted}


def newest(serving_dir: str) -> str | None:
    """Return the path of the version with the highest number, None if there is no version."""
    return next(reversed(versions(serving_dir).values()), None)


def content_digest(saved_model: str) -> str:
    """Return a SHA-256 over the names and contents of a SavedModel's files, as hexadecimal.

    Variables, vocabularies and warm-up requests count as much as the graph. Two exports of equal
    weights may differ, as TensorFlow numbers a process's functions; two copies never do, whatever
    model.json and MODEL_CARD.md say of each: they are not part of the model.
    """
    whole = hashlib.sha256()
    for name in (name for name in files.walk(saved_model) if name not in _BESIDE):
        content = hashlib.sha256()
        with files.open_read(os.path.join(saved_model, name)) as file:
            while chunk := file.read(_CHUNK):
                content.update(chunk)
        # A NUL is in no file name, and every digest has one length: no two folders read alike.
        whole.update(os.fsencode(name) + b"\0" + content.digest())
    return whole.hexdigest()
