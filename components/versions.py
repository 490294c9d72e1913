"""The versions that a command and its workers on other machines must share: libraries and our code.

components/sealed.py sends them with a job's steps, and lets workers with other versions refuse.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path

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
_OURS = ("components", "schemas")  # pickled by name, and imported by workers


def installed() -> dict[str, str]:
    """Return the versions of Python and each installed library, and the digest of our own code."""
    major, minor, _ = platform.python_version_tuple()
    libraries = {name: version for name in LIBRARIES if (version := _version(name)) is not None}
    return {"python": f"{major}.{minor}", **libraries, "skewless": digest(_ROOT)}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def refusal(expected: Mapping[str, str], own: Mapping[str, str]) -> str:
    """Return in one line why workers with `own` must not run a job; empty if they may.

    >>> refusal({"pyarrow": "18.1.0"}, {"pyarrow": "10.0.1"})
    "the workers' versions are not the command's: pyarrow is 10.0.1, not 18.1.0"
    """
    differences = [
        f"{name} is {own.get(name, 'missing')}, not {version}"
        for name, version in expected.items()
        if own.get(name) != version
    ]
    return f"{REFUSED}: {'; '.join(differences)}" if differences else ""


def digest(root: Path) -> str:
    """Return the digest of our own source files below `root`."""
    whole = hashlib.sha256()
    for path in sorted(path for name in _OURS for path in (root / name).rglob("*.py")):
        whole.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return whole.hexdigest()[:12]
