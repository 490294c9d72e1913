"""Processes that this one starts: each ends with it, and is waited for.

Promised: a process that was started with a `bound` command does not outlive the one that started
it, however that one ends; after `end`, a process is gone and its exit code is known. Whoever starts
a process calls `end`, or kills it and waits, before it goes on.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Sequence
from typing import Any

ENDING_SECONDS = 10.0  # that a process may take to end by itself


def bound(command: Sequence[Any], number: signal.Signals = signal.SIGTERM) -> list[Any]:
    """Return a command whose process is sent a signal when the thread that started it ends.

    The kernel sends it, so it arrives even if this process is killed. Where there is no `setpriv`
    (util-linux), as on systems other than Linux, the command is returned as it is.

    Args:
      command: a program and its arguments.
      number: the signal; SIGKILL for a process that has nothing to tidy up.
    """
    setpriv = shutil.which("setpriv")
    name = number.name.removeprefix("SIG")
    return [*([setpriv, "--pdeathsig", name] if setpriv else []), *command]


def end(process: subprocess.Popen[Any]) -> int:
    """End a process, by force if it takes longer than `ENDING_SECONDS`; return its exit code."""
    process.terminate()  # does nothing when it has ended
    try:
        return process.wait(ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
