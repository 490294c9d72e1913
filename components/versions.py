"""What a command and its workers on other machines must have alike: libraries and our own code.

The command sends what it has with a job; a pool of workers refuses a job that has something else,
for rows that travel between different versions fail in odd ways, or come out different.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from pathlib import Path

PARAMETER = "skewless_versions"  # of a request for a worker
REFUSED = "the workers' versions are not the command's"
LIBRARIES = (
    "apache-beam",
    "numpy",
    "pyarrow",
    "tensorflow",
    "tensorflow-data-validation",
    "tensorflow-transform",
    "tfx",
    "tfx-bsl",
)
_ROOT = Path(__file__).resolve().parents[1]
_OURS = ("components", "schemas")  # what is pickled by name and imported again by workers


def installed() -> dict[str, str]:
    """Return the version of Python, of each library, and the digest of our own code."""
    major, minor, _ = platform.python_version_tuple()
    libraries = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return {"python": f"{major}.{minor}", **libraries, "skewless": digest(_ROOT)}


def dumps() -> str:
    """Return what is `installed` as the value of `PARAMETER`."""
    return json.dumps(installed())


def refusal(sent: str, own: Mapping[str, str]) -> str:
    """Return in one line why workers that have `own` must not do a job; empty where they may.

    >>> refusal('{"pyarrow": "18.1.0"}', {"pyarrow": "10.0.1"})
    "the workers' versions are not the command's: pyarrow is 10.0.1, not 18.1.0"
    """
    differences = [
        f"{name} is {own.get(name, 'missing')}, not {version}"
        for name, version in json.loads(sent).items()
        if own.get(name) != version
    ]
    return f"{REFUSED}: {'; '.join(differences)}" if differences else ""


def digest(root: Path) -> str:
    """Return the digest of our own source files below `root`."""
    whole = hashlib.sha256()
    for path in sorted(path for name in _OURS for path in (root / name).rglob("*.py")):
        whole.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return whole.hexdigest()[:12]
