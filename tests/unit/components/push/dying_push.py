"""Pushes that are killed at their first, second, … file operation, each in a separate folder.

    python dying_push.py MODEL BEFORE WORK

Copies the serving folder BEFORE to WORK/0, WORK/1, … and pushes MODEL there in a child process that
gets SIGKILL right before operation 0, 1, …, until one survives. Every file operation that Python
audits counts, every fsync, and the middle of every copied file.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable

from components.push.push import push

AUDITED = ("open", "fcntl.flock")


def killer(operation: int) -> Callable[[], None]:
    """Return a function that kills this process when called for the time numbered `operation`."""
    left = operation

    def step() -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    return step


def arm(step: Callable[[], None]) -> None:
    """Have `step` called at every file operation of this process."""
    fsync = os.fsync

    def stepping_fsync(descriptor):
        step()
        fsync(descriptor)

    def stepping_copy(reader, writer, length):
        content = reader.read()
        writer.write(content[: len(content) // 2])
        writer.flush()
        step()
        writer.write(content[len(content) // 2 :])

    def hook(event, _):
        if event in AUDITED or (event.startswith("os.") and event != "os.kill"):
            step()

    os.fsync = stepping_fsync
    shutil.copyfileobj = stepping_copy  # type: ignore[assignment]  # its type is overloaded
    sys.addaudithook(hook)


def main(model: str, before: str, work: str) -> None:
    """Kill one push at each operation, then stop."""
    operation, status = 0, -1
    while status != 0:
        folder = os.path.join(work, str(operation))
        shutil.copytree(before, folder)
        child = os.fork()
        if child == 0:
            arm(killer(operation))
            push(model, folder)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status and not os.WIFSIGNALED(status):
            raise SystemExit(f"the push of operation {operation} failed by itself")
        operation += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
