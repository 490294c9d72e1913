"""Child processes: each ends with its parent, and is waited for.

A process of a `bound` command, or a fork that calls `end_with_parent`, does not outlive its parent,
however the parent ends. After `end`, a
process has ended and its exit code is known. Code that starts a process calls `end`, or kills it
and waits, before continuing.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

ENDING_SECONDS = 10.0  # before a process is killed
_PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


def bound(command: Sequence[Any], number: signal.Signals = signal.SIGTERM) -> list[Any]:
    """Return a command whose process receives a signal when the thread that started it ends.

    The kernel sends it, so it arrives even if this process is killed. Without `setpriv`
    (util-linux), as on systems other than Linux, the command is returned unchanged.

    Args:
      command: a program and its arguments.
      number: the signal; SIGKILL for a process without cleanup.
    """
    setpriv = shutil.which("setpriv")
    name = number.name.removeprefix("SIG")
    return [*([setpriv, "--pdeathsig", name] if setpriv else []), *command]


def end_with_parent(parent: int) -> None:
    """Have this process killed when its parent ends, even if that is killed.

    On systems other than Linux this does nothing.

    Args:
      parent: the id of the process that has just forked this one.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it has ended before
            os._exit(1)


def end(process: subprocess.Popen[Any]) -> int:
    """End a process, by force after `ENDING_SECONDS`; return its exit code."""
    process.terminate()  # does nothing if it has ended
    try:
        return process.wait(ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
