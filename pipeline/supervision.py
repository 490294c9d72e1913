"""Reports that a command died of a memory limit, which the command itself cannot report.

If an allocation fails, C++ libraries abort the process (`std::bad_alloc`) or crash it. Therefore,
if the memory that a process may reserve is limited (`ulimit -v`), the command is started as a child
of this process, which waits and reports how it ended. Without such a limit no child is started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from types import FrameType

from components.children import bound
from pipeline import temporary
from pipeline.shortages import limited, too_little_memory
from schemas.errors import SkewlessError

VARIABLE = "SKEWLESS_SUPERVISED"  # set in a supervised child
_CRASHES = (signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGSEGV, signal.SIGTRAP)
_PASSED_ON = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def supervised() -> int | None:
    """Run the command of this process in a child; return its exit code.

    None if this process is that child, or no child is needed.

    Raises:
      SkewlessError: the child crashed.
    """
    if VARIABLE in os.environ or not limited():
        return None
    return supervise([sys.executable, *sys.orig_argv[1:]])


def supervise(command: Sequence[str]) -> int:
    """Run a command until it ends; return its exit code.

    Raises:
      SkewlessError: the command crashed.
    """
    process = subprocess.Popen(
        bound(command, signal.SIGKILL),
        env={**os.environ, VARIABLE: "1"},
        start_new_session=True,  # otherwise Ctrl-C reaches it twice
    )

    def pass_on(number: int, frame: FrameType | None) -> None:
        process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if code >= 0:
        return code
    temporary.sweep(tempfile.gettempdir())  # the killed command left its temporary files
    number = signal.Signals(-code)
    if number in _CRASHES:
        raise too_little_memory(f"the command crashed ({number.name})")
    raise SkewlessError(f"the command was ended by {number.name}")
