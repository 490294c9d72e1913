"""Digests of what a stage depends on in addition to its inputs: code, libraries, source files.

Each digest becomes a parameter of the stage's node and with that a part of TFX's cache key: a stage
runs again exactly when one of them changes. Code is read, never imported, so that a digest costs
milliseconds and holds what the source says rather than what was already loaded.

A library counts by the version of its distribution and of all that the distribution requires:
TensorFlow Data Validation computes in tfx-bsl, pandas and numpy, which a stage need not import.
Which of its requirements a library calls is not known without running it. So the upgrade of one
that computes nothing may run a stage again, but none leaves an artifact in use that the installed
libraries would not make.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from components import files, stores
from pipeline.digest_cache import DigestCache
from pipeline.distributions import installed, metadata_folders
from pipeline.imports import PACKAGES, ROOT, libraries_of, reach
from schemas.spec import Spec

_CODE = (".py", ".j2")  # endings of files that change what is put out


def code(
    module: str,
    function: str,
    *,
    kinds: Mapping[str, Sequence[str]] | None = None,
    root: Path = ROOT,
) -> str:
    """Return the digest of all that `imports.reach` finds with the same arguments.

    Layout and comments do not count. A distribution counts by its version, and by those of all that
    it requires.
    """
    found = reach(module, function, kinds=kinds, root=root)
    digest = hashlib.sha256(f"python {sys.version_info[0]}.{sys.version_info[1]}".encode())
    for node in found.statements:
        digest.update(ast.dump(node).encode())
    for name, content in sorted(found.modules.items()):
        digest.update(f"\n{name}\n{content}".encode())
    for name, version in installed().versions(found.distributions).items():
        digest.update(f"\n{name} {version}".encode())
    for name in sorted(found.absent):
        digest.update(f"\n{name} absent".encode())
    return digest.hexdigest()


def project(*, root: Path = ROOT) -> str:
    """Return the digest of all of this project's code, and of all installed distributions.

    Unlike `code`, which takes a hundred times as long, it changes with every comment.
    """
    digest = hashlib.sha256(f"python {sys.version}".encode())
    for package in (*PACKAGES, "pipeline"):
        for path in sorted(p for p in root.joinpath(package).rglob("*.*") if p.suffix in _CODE):
            digest.update(f"\n{path.relative_to(root)}\n".encode())
            digest.update(path.read_bytes())
    for name in metadata_folders():
        digest.update(f"\n{name}".encode())
    return digest.hexdigest()


def source(paths: Iterable[str], known: DigestCache) -> str:
    """Return the identity of source files: the content of each, in the order of their paths.

    Of a path only the ending counts, which says whether a file is compressed. Times do not count:
    files that were touched, copied or renamed are still the same source. A file is read in full
    when it is new or looks changed; otherwise `known` has its digest. In a store, the tags of the
    listing are used (MD5 or generation in `gs://`, ETag in `s3://`), and nothing is read.

    Raises:
      FileNotFoundError: a file does not exist.
      OSError: a file cannot be read.
      StoreError: the store does not answer, or refuses.
    """
    ordered = sorted(paths)
    if files.in_store(ordered[0]):
        start = os.path.commonprefix(ordered)  # noqa: RUF071 - stores list by text, not by folder
        contents = stores.tags(start)
        if gone := next((path for path in ordered if path not in contents), None):
            raise FileNotFoundError(gone)
    else:
        contents = known.digests(ordered)
    entries = [(os.path.splitext(path)[1], contents[path]) for path in ordered]
    return hashlib.sha256(json.dumps(entries).encode()).hexdigest()


def libraries(text: str, path: str) -> dict[str, str]:
    """Return the versions of the libraries that a user's file imports, and of their requirements.

    Args:
      text: the file's Python.
      path: its path, for errors.

    Raises:
      ConfigError: it imports a module of no installed distribution.
    """
    return installed().versions(libraries_of(text, path))


def of_sources(
    spec: Spec, schema_text: str, code: Mapping[str, str], own: str = ""
) -> dict[str, str]:
    """Return the SHA-256 of pipeline.yaml's content, of schema.pbtxt, and of all stages' code.

    `own` is the text of features.py, which has a digest of its own if it is used.
    """
    contents = {
        "code": json.dumps(code, sort_keys=True),
        "pipeline": spec.model_dump_json(),
        "schema": schema_text,
    }
    contents |= {"features.py": own} if own else {}
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in contents.items()}
