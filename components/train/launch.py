"""A training → processes that do it together, and begin again if one is killed.

The processes are those of `components.train.work`: several of this machine, each with a GPU of its
own if there are some, or one on each of several machines, which TF_CONFIG names.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from components import files, progress
from components.children import bound, end
from components.train import work
from components.train.work import TrainingJob
from schemas.errors import ConfigError, SkewlessError

_ROOT = Path(__file__).resolve().parents[2]  # what `components` is imported from
_RESTARTS = 3
_POLL_SECONDS = 0.1
_LAST_LINES = 12  # of a process that failed
_GPUS = "CUDA_VISIBLE_DEVICES"


def visible_gpus(environment: Mapping[str, str], devices: Sequence[str]) -> list[str]:
    """Return the ids of the GPUs that processes may use.

    Args:
      environment: the variables; CUDA_VISIBLE_DEVICES chooses some.
      devices: the files of the GPUs.

    >>> visible_gpus({}, ["/dev/nvidia0", "/dev/nvidia1"])
    ['0', '1']
    >>> visible_gpus({"CUDA_VISIBLE_DEVICES": "3"}, ["/dev/nvidia0", "/dev/nvidia3"])
    ['3']
    """
    if _GPUS in environment:
        return [each.strip() for each in environment[_GPUS].split(",") if each.strip()]
    return sorted(each.removeprefix("/dev/nvidia") for each in devices)


def is_cluster(environment: Mapping[str, str]) -> bool:
    """Return whether TF_CONFIG names several machines.

    >>> is_cluster({"TF_CONFIG": '{"cluster": {"chief": ["a:1"], "worker": ["b:1"]}}'})
    True
    """
    cluster = json.loads(environment.get("TF_CONFIG") or "{}").get("cluster", {})
    return sum(len(cluster.get(job, ())) for job in ("chief", "worker")) > 1


def job_file(folder: str) -> str:
    """Return the file by which the chief gives a training to other machines.

    Args:
      folder: of the stage's outputs.
    """
    return os.path.join(folder, "job.json")


def lead(job: TrainingJob, shared: str, environment: Mapping[str, str]) -> None:
    """Train with the machines of TF_CONFIG, of which this one is the first.

    Args:
      job: the training.
      shared: the file from which the other machines read it.
      environment: the variables.

    Raises:
      SkewlessError: a process failed, or ended again and again without a result.
    """
    files.write_whole(shared, job.model_dump_json())
    try:
        join(shared, environment, seconds=0)
    finally:
        files.remove(shared)


def join(shared: str, environment: Mapping[str, str], *, seconds: float) -> None:
    """Train what another machine trains.

    Args:
      shared: the file of the job, which may appear later.
      environment: the variables, with TF_CONFIG.
      seconds: how long to wait for it.

    Raises:
      ConfigError: TF_CONFIG does not name several machines.
      SkewlessError: there is no job, a process failed, or ended again and again without a result.
    """
    if not is_cluster(environment):
        raise ConfigError(
            "the variable TF_CONFIG does not name several machines",
            expected='{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker",'
            ' "index": 1}}',
        )
    path = os.pathsep.join(filter(None, [str(_ROOT), environment.get("PYTHONPATH")]))
    until = time.monotonic() + seconds
    while not files.is_file(shared):
        if time.monotonic() > until:
            raise SkewlessError(
                f"no run came to its training within {seconds / 60:g} minutes",
                where=shared,
                remedy="start `skewless run` on the first machine of TF_CONFIG",
            )
        time.sleep(1)

    def attempt(folder: str) -> str | None:
        if not files.is_file(shared):  # the first machine has ended, and this one with it
            return None
        local = os.path.join(folder, "job.json")
        Path(local).write_bytes(files.read_bytes(shared))
        return _run(local, [{**environment, "PYTHONPATH": path}], folder)

    _repeat(attempt)


def process_count(workers: int | str) -> int:
    """Return how many processes train on this machine: "auto" is one for each GPU, or one."""
    return max(1, len(_gpus())) if isinstance(workers, str) else workers


def _gpus() -> list[str]:
    return visible_gpus(os.environ, glob.glob("/dev/nvidia[0-9]*"))


def launch(job: TrainingJob, count: int) -> None:
    """Train in so many processes of this machine.

    Args:
      job: the training.
      count: how many.

    Raises:
      SkewlessError: a process failed, or processes ended again and again without a result.
    """
    gpus = _gpus()

    def attempt(folder: str) -> str | None:
        path = os.path.join(folder, "job.json")
        Path(path).write_text(job.model_dump_json())
        environments = [_environment(i, count, gpus) for i in range(count)]
        _share_ports(environments)
        return _run(path, environments, folder)

    _repeat(attempt)


def _repeat(attempt: Callable[[str], str | None]) -> None:
    """Start processes until their chief succeeds; `attempt` returns why it did not."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1 + _RESTARTS):
            failed = attempt(folder)
            if failed is None:
                return
            if number < _RESTARTS:
                progress.remark("train", "a process ended early; all go on from the checkpoint")
    raise SkewlessError(
        f"processes that train ended early {1 + _RESTARTS} times; the last one:\n{failed}",
        where="model.workers",
        remedy="give the machine more memory, or train with fewer workers",
    )


def _environment(index: int, count: int, gpus: Sequence[str]) -> dict[str, str]:
    """Return the variables of a process but TF_CONFIG: a GPU, or its share of the cores."""
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    own = {**os.environ, "PYTHONPATH": path}
    if gpus:
        return {**own, _GPUS: gpus[index % len(gpus)]}
    cores = max(1, (os.cpu_count() or 1) // count)
    return {"TF_NUM_INTRAOP_THREADS": str(cores), **own}


def _share_ports(environments: Sequence[dict[str, str]]) -> None:
    """Give each process a free port, and all processes those of the others."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in environments]
        for each in sockets:
            each.bind(("localhost", 0))
        hosts = [f"localhost:{each.getsockname()[1]}" for each in sockets]
    for index, environment in enumerate(environments):
        task = {"type": "worker", "index": index}
        environment["TF_CONFIG"] = json.dumps({"cluster": {"worker": hosts}, "task": task})


def _run(job: str, environments: Sequence[Mapping[str, str]], folder: str) -> str | None:
    """Run the processes; return None if the chief succeeds, else what the first to end printed.

    Raises:
      SkewlessError: an error for the user.
    """
    command = bound([sys.executable, "-m", work.__name__, job])
    processes: list[subprocess.Popen[bytes]] = []
    reader = threading.Thread(target=lambda: _relay(processes[0].stdout))
    logs = [os.path.join(folder, f"{i}.log") for i in range(len(environments))]
    try:
        for log, environment in zip(logs, environments, strict=True):
            with open(log, "wb") as errors:
                processes.append(_started(command, environment, errors, is_chief=not processes))
        reader.start()
        return _failure(processes, logs)
    finally:
        for process in processes:
            end(process)
        reader.join()


def _failure(processes: Sequence[subprocess.Popen[bytes]], logs: Sequence[str]) -> str | None:
    """Wait until the chief succeeds, or a process fails; return what that one printed."""
    while processes[0].poll() != 0:
        for process, log in zip(processes, logs, strict=True):
            if process.poll():
                text = Path(log).read_text("utf-8", "replace")
                if process.returncode == work.FAILED:
                    raise SkewlessError.parse(text[text.rindex(work.MARK) + len(work.MARK) :])
                return "\n".join(text.splitlines()[-_LAST_LINES:])
        time.sleep(_POLL_SECONDS)
    return None


def _started(
    command: Sequence[str], environment: Mapping[str, str], errors: IO[bytes], *, is_chief: bool
) -> subprocess.Popen[bytes]:
    """Start a process; the events of the chief are read."""
    events = subprocess.PIPE if is_chief else subprocess.DEVNULL
    return subprocess.Popen(command, env=environment, stdout=events, stderr=errors)


def _relay(lines: IO[bytes] | None) -> None:
    """Emit the events that a process prints until it ends."""
    assert lines is not None  # it is a pipe
    with lines:
        for event in _events(lines):
            progress.emit(event)


def _events(lines: IO[bytes]) -> Iterator[progress.Event]:
    for line in lines:
        if line.startswith(work.EVENT.encode()):
            yield progress.Event(**json.loads(line.removeprefix(work.EVENT.encode())))
