"""Measures the duration and memory of a command.

The command runs in a fresh process, so that it shares nothing with other measurements.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

import psutil

from benchmarks.places import ROOT
from schemas.strict import Strict

_SAMPLE_SECONDS = 0.25
_LAST_LINES = 20


@dataclass(frozen=True)
class Usage:
    """The resources that a command used.

    Attributes:
      seconds: from its start to its end.
      cpu: CPU seconds of it and of the processes that it waited for.
      peak_process: the largest resident memory of one of its processes, in bytes.
      peak_together: the largest sum over its processes at a time; shared pages, such as libraries,
        count for each of them.
      load: runnable processes on the machine when it started, mean of a minute.
      code: its exit code.
    """

    seconds: float
    cpu: float
    peak_process: int
    peak_together: int
    load: float
    code: int


class StageTime(Strict):
    """The duration of one stage.

    Attributes:
      name: its node in the DAG.
      seconds: its duration.
      rows: how many rows it processed; 0 if it does not count rows.
    """

    name: str
    seconds: float
    rows: int = 0


class Measured(Strict):
    """The measurements of one pipeline run.

    Attributes:
      system: which pipeline.
      rows: rows of the source.
      outcome: the result for the model, in a word.
      seconds: from the start of the process to its end.
      peak_process: see `Usage`.
      peak_together: see `Usage`.
      load: see `Usage`.
      date: the day of the measurement.
      stages: in the order they ran.
    """

    system: Literal["ours", "stock"]
    rows: int
    outcome: str
    seconds: float
    peak_process: int
    peak_together: int
    load: float
    date: str
    stages: tuple[StageTime, ...]


def run(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
) -> Usage:
    """Run a command and wait for its end.

    Args:
      command: the program and its arguments.
      log: file for its output.
      environment: variables in addition to those of this process.
      folder: where it runs, which is where Python finds the code.
    """
    load = os.getloadavg()[0]
    began = time.monotonic()
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    sampler = _Sampler(process.pid)
    sampler.start()
    try:
        # Not Popen.wait: only wait4 has the memory of this process and those it waited for.
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        sampler.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss * 1024  # Linux counts in KiB
    return Usage(
        seconds=time.monotonic() - began,
        cpu=usage.ru_utime + usage.ru_stime,
        peak_process=peak,
        peak_together=max(peak, sampler.peak),
        load=load,
        code=process.returncode,
    )


def today() -> str:
    """Return the date, which is recorded with figures."""
    return datetime.now(timezone.utc).date().isoformat()


def last_lines(log: Path) -> str:
    """Return the end of a log, where programs report errors."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_LAST_LINES:])


class _Sampler(threading.Thread):
    """Samples the resident memory of a process and all its descendants."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._root = psutil.Process(pid)
        self._stopped = threading.Event()
        self.peak = 0

    def run(self) -> None:
        """Sample until stopped."""
        while not self._stopped.wait(_SAMPLE_SECONDS):
            self.peak = max(self.peak, self._resident())

    def stop(self) -> None:
        """End the sampling."""
        self._stopped.set()
        self.join()

    def _resident(self) -> int:
        try:
            processes = [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return 0
        return sum(_resident(process) for process in processes)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:  # it ended after it was listed
        return 0
