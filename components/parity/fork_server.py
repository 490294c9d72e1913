"""The program of a process that forks others: it has imported TensorFlow's runtime for them.

usage: python -m components.parity.fork_server SOCKET

SOCKET is the number of a Unix socket. A message is a command as a JSON list, with four files: the
new process's standard input, output and error, and a pipe, to which its exit code is written. When
the socket closes, all processes are killed.

TensorFlow starts its threads at its first operation, and this process runs none. If it has other
threads, because a library starts one when it is imported, a fork would not be safe: the commands
are then run in the usual way, and import TensorFlow themselves.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from components import tensorflow_runtime
from components.children import bound, end_with_parent
from components.compat import quiet_imports

LINE = 16  # bytes of an exit code, at most
_LONGEST = 1 << 16  # bytes of a message
_FILES = 4


def main(number: str) -> None:
    """Start a process for each message, until the socket closes."""
    _import_tensorflow()
    processes: dict[int, int] = {}  # by id, the pipe for the exit code

    def report(*_: object) -> None:
        for process in list(processes):
            # A signal may come while this function is at work; the process is reported once.
            with contextlib.suppress(ChildProcessError):
                ended, status = os.waitpid(process, os.WNOHANG)
                if ended:
                    with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
                        os.write(processes[process], b"%d" % os.waitstatus_to_exitcode(status))
                    os.close(processes.pop(process))

    signal.signal(signal.SIGCHLD, report)
    with socket.socket(fileno=int(number)) as commands:
        while True:
            message, files, _, _ = socket.recv_fds(commands, _LONGEST, _FILES)
            if not message:
                break
            *streams, pipe = files
            others = [commands.fileno(), pipe, *processes.values()]
            process = _start(json.loads(message), streams, others)
            processes[process] = pipe
            for file in streams:
                os.close(file)
            report()  # it may have ended before it was in `processes`
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for process in processes:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def _import_tensorflow() -> None:
    with quiet_imports():
        tensorflow_runtime.load()
    gc.collect()
    gc.freeze()  # so that collections in the new processes do not copy what they share


def threads() -> int:
    """Return how many threads this process has; 0 if the system does not say."""
    with contextlib.suppress(OSError), open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Threads:"))
    return 0


def _start(command: Sequence[str], streams: Sequence[int], others: Sequence[int]) -> int:
    """Start a process and return its id; it closes the other files."""
    python, option, *program = command
    if (python, option) != (sys.executable, "-m") or threads() != 1:
        bounded = bound(command, signal.SIGKILL)
        actions: list[tuple[int, ...]] = [
            *((os.POSIX_SPAWN_DUP2, file, number) for number, file in enumerate(streams)),
            *((os.POSIX_SPAWN_CLOSE, file) for file in (*streams, *others)),
        ]
        return os.posix_spawn(bounded[0], bounded, os.environ, file_actions=actions)
    parent = os.getpid()
    process = os.fork()
    if not process:
        end_with_parent(parent)
        for number, file in enumerate(streams):
            os.dup2(file, number)
        for file in (*streams, *others):
            with contextlib.suppress(OSError):  # a process has just ended, and its pipe is closed
                os.close(file)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _run(program)
    return process


def _run(program: Sequence[str]) -> NoReturn:
    """Run a module and its arguments as `python -m` does, and end."""
    sys.argv = list(program)
    code = 1
    try:
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        else:
            code = error.code or 0
    except BaseException:  # noqa: BLE001  # as the interpreter does
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
