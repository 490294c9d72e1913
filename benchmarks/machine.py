"""The machine and the libraries that figures depend on, without the machine's name."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

import psutil

from pipeline.doctor import GIB, LIBRARIES
from schemas.strict import Strict


class Machine(Strict):
    """The machine of a measurement.

    Attributes:
      processor: the processor's model.
      cores: the number that this process may use.
      memory: GiB, rounded.
      system: the kind of operating system and its C library.
      python: the version.
      libraries: the version of each.
    """

    processor: str
    cores: int
    memory: int
    system: str
    python: str
    libraries: dict[str, str]

    @classmethod
    def here(cls) -> Machine:
        """Return this machine."""
        return cls(
            processor=_processor(),
            cores=len(os.sched_getaffinity(0)),
            memory=round(psutil.virtual_memory().total / GIB),
            system=" ".join([platform.system(), platform.machine(), *platform.libc_ver()]),
            python=platform.python_version(),
            libraries={name: importlib.metadata.version(name) for name in LIBRARIES},
        )

    def lines(self) -> list[str]:
        """Return the description as lines of text."""
        versions = ", ".join(f"{name} {version}" for name, version in self.libraries.items())
        return [
            f"- Machine: {self.processor}, {self.cores} cores, {self.memory} GiB, {self.system}",
            f"- Versions: Python {self.python}, {versions}",
        ]


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    models = [line.partition(":")[2] for line in text.splitlines() if line.startswith("model name")]
    return models[0].strip() if models else platform.machine()
