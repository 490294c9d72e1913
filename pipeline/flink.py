"""Asks a Flink cluster's REST API whether it can run a pipeline, and how far the jobs are.

Whatever is missing is reported with the key to change before a job starts. Later it would be one
failed task among a hundred, and the SDK workers would only see that a channel was closed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components import progress
from pipeline.hosts import fetch
from schemas.errors import ConfigError
from schemas.runners import Flink

LOG = logging.getLogger(__name__)
LOOK_EVERY = 2.0  # seconds
MIB = 1 << 20
_OVER = ("CANCELED", "CANCELLING", "FAILED", "FAILING", "FINISHED")  # ended, or about to
# Measured with the taxi features, whose transform is a graph of 84 steps: docs/runners.md.
NETWORK_PER_SLOT = 256 * MIB
OFF_HEAP_PER_SLOT = 256 * MIB


def check(section: Flink) -> None:
    """Check that a cluster matches its section and can run a pipeline.

    Raises:
      ConfigError: it cannot be reached, has another version, has too few task slots, network
        buffers or direct memory, or ends a job when it loses the first machine.
    """
    version = _version(ask(section, "/config"))
    if not version.startswith(f"{section.version}."):
        raise ConfigError(
            f"the cluster runs Flink {version}, not {section.version}",
            where=f"runner.flink.version; {section.master}",
            remedy=f"set version to {'.'.join(version.split('.')[:2])!r}, and job_server_jar, if it"
            " is given, to the jar for it",
        )
    managers = ask(section, "/taskmanagers")["taskmanagers"]
    total = sum(manager["slotsNumber"] for manager in managers)
    parallelism = section.parallelism or 1
    if total < parallelism:
        raise ConfigError(
            f"the cluster has {total} task slots in {len(managers)} task managers, and"
            f" {parallelism} are needed",
            where=f"runner.flink.parallelism; {section.master}",
            remedy="start task managers, or lower parallelism",
        )
    _check_memory(managers, where=section.master)
    if section.restarts:
        _check_restarts(section)


def slots(section: Flink) -> tuple[int, int]:
    """Return how many task slots to use in total, and the largest number in one task manager."""
    managers = ask(section, "/taskmanagers")["taskmanagers"]
    each = [int(manager["slotsNumber"]) for manager in managers] or [1]
    used = section.parallelism or sum(each)
    return used, min(used, max(each))


@contextlib.contextmanager
def followed(section: Flink, job_name: str) -> Iterator[None]:
    """Report the progress of a run's jobs, and cancel the remaining ones if the block fails.

    Beam's job server reports nothing, and its jobs continue on the cluster when its command ends.

    Args:
      section: the cluster's section; if the cluster does not answer, only the log says so.
      job_name: the prefix of the jobs' names; the stage follows.
    """
    over = threading.Event()
    thread = threading.Thread(target=_tell, args=(section, job_name, over), daemon=True)
    thread.start()
    try:
        yield
    except BaseException:  # Ctrl-C, too
        _cancel(section, job_name)
        raise
    finally:
        over.set()
        thread.join()


def _tell(section: Flink, job_name: str, over: threading.Event) -> None:
    waiting = 0  # looks without a running task; between two steps of a job there may be one
    while not over.wait(LOOK_EVERY):
        for stage, job in _jobs(section, job_name):
            tasks = job["tasks"]
            busy = any(tasks.get(state) for state in ("running", "deploying", "initializing"))
            waiting = 0 if busy else waiting + 1
            done = f"{tasks['finished']} of {tasks['total']} tasks done"
            progress.job(stage, state="waits for task slots" if waiting > 1 else done)


def _cancel(section: Flink, job_name: str) -> None:
    try:
        for stage, job in _jobs(section, job_name):
            fetch(f"{section.master.rstrip('/')}/jobs/{job['jid']}?mode=cancel", "PATCH")
            LOG.warning("the job of %s is cancelled", stage)
    except OSError:
        LOG.exception("the jobs of %s cannot be cancelled", job_name)


def _jobs(section: Flink, job_name: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return a run's unfinished jobs: each stage with what Flink reports of its job."""
    try:
        jobs = ask(section, "/jobs/overview")["jobs"]
    except ConfigError:
        LOG.warning("the state of the jobs of %s is unknown", job_name, exc_info=True)
        return []
    prefix = f"{job_name}-"
    return [
        (job["name"].removeprefix(prefix), job)
        for job in jobs
        if job["name"].startswith(prefix) and job["state"] not in _OVER
    ]


def ask(section: Flink, path: str) -> Any:
    """Return a response of the job manager.

    Raises:
      ConfigError: nothing answers, or it is not Flink.
    """
    try:
        value = json.loads(fetch(section.master.rstrip("/") + path))
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise ConfigError(
            f"no Flink answers at {section.master}: {reason}",
            where="runner.flink.master",
            expected="the job manager's REST address, such as http://localhost:8081",
        ) from error
    return value


def _version(config: Any) -> str:
    return str(config.get("flink-version", "unknown")) if isinstance(config, dict) else "unknown"


def _check_memory(managers: Sequence[Mapping[str, Any]], *, where: str) -> None:
    """Check every task manager's memory for what its slots need."""
    keys = "taskmanager.memory"
    needs = (
        ("networkMemory", NETWORK_PER_SLOT, "network buffers", f"{keys}.network.min and .max"),
        ("taskOffHeap", OFF_HEAP_PER_SLOT, "direct memory", f"{keys}.task.off-heap.size"),
    )
    for manager in managers:
        memory = manager["memoryConfiguration"]
        for key, per_slot, what, setting in needs:
            needed = per_slot * manager["slotsNumber"]
            if memory[key] < needed:
                raise ConfigError(
                    f"the task manager {manager['id']} has {memory[key] // MIB} MiB of {what} for"
                    f" {manager['slotsNumber']} slots",
                    where=f"{setting} in Flink's configuration; {where}",
                    expected=f"{needed // MIB} MiB or more, {per_slot // MIB} a slot",
                    remedy=f"set {setting} to {needed // MIB}m and restart the task managers",
                )


def _check_restarts(section: Flink) -> None:
    """Check that a job restarts after a loss: Beam sets that for streams, not for batches."""
    settings = {entry["key"]: entry["value"] for entry in ask(section, "/jobmanager/config")}
    strategy = settings.get("restart-strategy.type", settings.get("restart-strategy", "none"))
    if strategy.lower() in ("none", "off", "disable"):
        raise ConfigError(
            "the cluster ends a job when it loses the first task manager",
            where=f"restart-strategy.type in Flink's configuration; {section.master}",
            remedy="set restart-strategy.type to fixed-delay and restart the job manager, or do"
            " without: --set restarts=false",
        )
