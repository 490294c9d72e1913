"""This project as a package, for workers that have it in no image.

Goes in: its setup.py. Comes out: a wheel, the same bytes from the same code, and the versions of
all that it needs as they are installed here. Promises: nothing is written beside setup.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from schemas.errors import ConfigError

_SECONDS = 120.0  # that a build may take
_EPOCH = "315532800"  # 1980-01-01, the first day that a wheel can give a file


def own_setup_file() -> Path:
    """Return the setup.py of the checkout that this module is in; it may not be there."""
    return Path(__file__).resolve().parents[1] / "setup.py"


def build(setup_file: Path, folder: Path) -> Path:
    """Build a wheel into a folder, and return it.

    Beam's own `--setup_file` builds anew for every job, and has every worker build again.

    Raises:
      ConfigError: it cannot be built; with the last words of the build.
    """
    command = [sys.executable, setup_file.name, "--quiet"]
    command += ["egg_info", "--egg-base", str(folder)]
    command += ["build", "--build-base", str(folder / "build")]
    command += ["bdist_wheel", "--dist-dir", str(folder)]
    done = subprocess.run(
        command,
        cwd=setup_file.parent,
        env={**os.environ, "SOURCE_DATE_EPOCH": _EPOCH},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it gave no reason"]
        raise ConfigError(
            f"no package can be built for the workers: {said[-1]}",
            where=str(setup_file),
            remedy="see that setuptools is installed here, or give an image for the workers",
        )
    return wheels[0]


def pins(name: str) -> list[str]:
    """Return `package==version` of all that an installed distribution needs, as installed here.

    What is needed elsewhere alone, such as on another system, is not among them.

    >>> pins("packaging")
    []
    """
    versions: dict[str, str] = {}
    waiting, seen = [Requirement(name)], set()
    while waiting:
        wanted = waiting.pop()
        package = canonicalize_name(wanted.name)
        try:
            found = metadata.distribution(wanted.name)
        except metadata.PackageNotFoundError:
            continue
        versions[package] = found.version
        for extra in {"", *wanted.extras}:
            if (package, extra) not in seen:
                seen.add((package, extra))
                waiting += _needed(found, extra)
    del versions[canonicalize_name(name)]
    return [f"{package}=={version}" for package, version in sorted(versions.items())]


def _needed(found: metadata.Distribution, extra: str) -> list[Requirement]:
    """Return what a distribution needs with one of its extras, on this Python and system."""
    requirements = map(Requirement, found.requires or ())
    return [r for r in requirements if r.marker is None or r.marker.evaluate({"extra": extra})]
