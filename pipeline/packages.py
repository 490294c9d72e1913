"""Builds this project as a package, for workers whose image does not have it.

The same code gives a wheel with the same bytes. Its requirements are pinned to the versions that
are installed here. Nothing is written beside setup.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from packaging.utils import canonicalize_name

from pipeline.distributions import installed
from schemas.errors import ConfigError

_SECONDS = 120.0  # time limit of a build
_EPOCH = "315532800"  # 1980-01-01, the earliest time that a file in a wheel can have


def own_setup_file() -> Path:
    """Return the path of setup.py in this module's checkout; it may not exist."""
    return Path(__file__).resolve().parents[1] / "setup.py"


def build(setup_file: Path, folder: Path) -> Path:
    """Build a wheel into a folder, and return its path.

    Beam's own `--setup_file` builds again for every job and on every worker.

    Raises:
      ConfigError: the build fails; has its last line of output.
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
        output = (done.stderr or done.stdout).strip().splitlines() or ["it gave no reason"]
        raise ConfigError(
            f"no package can be built for the workers: {output[-1]}",
            where=str(setup_file),
            remedy="check that setuptools is installed here, or give an image for the workers",
        )
    return wheels[0]


def pins(name: str) -> list[str]:
    """Return `package==version` of all requirements of a distribution, as installed here.

    Requirements for other platforms only are left out.

    >>> pins("packaging")
    []
    """
    own = canonicalize_name(name)
    versions = installed().versions([own])
    return [f"{needed}=={version}" for needed, version in versions.items() if needed != own]
