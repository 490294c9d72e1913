"""A worker's machine: the libraries, nothing of this project, and what a job has staged.

It replaces a Dataflow machine with Beam's own container, or one of ours: it installs what `boot`
would install, by the same names, and nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

REPLAY = Path(__file__).with_name("replay.py")
SECONDS = 300  # time limit of a job


class JobFailedError(Exception):
    """The failure of a job: the message of its process."""


class Machine:
    """A separate Python in a folder, with the libraries of this one.

    This checkout is in the libraries' folder only through a .pth file, and Python follows only
    those of its own folder, so this project is not on the machine.

    Args:
      folder: the folder to create.
      holds: packages that are in the container already.
    """

    def __init__(self, folder: Path, holds: Sequence[Path] = ()) -> None:
        self._folder = folder
        venv.create(folder / "venv", symlinks=True)
        self.python = folder / "venv/bin/python"
        (own,) = (folder / "venv/lib").glob("python3.*/site-packages")
        libraries = sysconfig.get_paths()["purelib"]
        (own / "libraries.pth").write_text(f"{libraries}\n", encoding="utf-8")
        shutil.copy(REPLAY, folder)
        for package in holds:
            self._install(package)

    def start(self, staged: Mapping[str, bytes]) -> None:
        """Install what was staged, as `boot` does before the first worker starts.

        Libraries are not fetched: they are compared with the installed ones.

        Raises:
          JobFailedError: something cannot be installed.
        """
        place = self._folder / "staged"
        place.mkdir(exist_ok=True)
        for name, content in staged.items():
            (place / name).write_bytes(content)
        if "requirements.txt" in staged:
            self._require(staged["requirements.txt"].decode().splitlines())
        for name in staged.get("extra_packages.txt", b"").decode().splitlines():
            self._install(place / name)

    def run(self, graph: bytes) -> list[tuple[str, str, int]]:
        """Run a graph; return its counters: namespace, name and value.

        Raises:
          JobFailedError: it failed.
        """
        (self._folder / "pipeline.pb").write_bytes(graph)
        self._call("replay.py", "pipeline.pb", "counters.json")
        return [tuple(c) for c in json.loads((self._folder / "counters.json").read_text())]

    def _require(self, pins: Sequence[str]) -> None:
        here = {pin: metadata.version(pin.partition("==")[0]) for pin in pins}
        others = [
            f"{pin}: {found}" for pin, found in here.items() if not pin.endswith(f"=={found}")
        ]
        if others:
            raise JobFailedError("other versions than here: " + ", ".join(others))

    def _install(self, package: Path) -> None:
        quiet = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
        # the libraries' folder has this project's name, without its code
        self._call("-m", "pip", "install", *quiet, "--ignore-installed", str(package))

    def _call(self, *arguments: str) -> None:
        kept = ("HOME", "LANG", "PATH", "STORAGE_EMULATOR_HOST", "TMPDIR")
        done = subprocess.run(
            [str(self.python), *arguments],
            cwd=self._folder,
            env={key: os.environ[key] for key in kept if key in os.environ},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode:
            raise JobFailedError(done.stderr)


def python_name() -> str:
    """Return the name of this Python in Beam's containers."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"
