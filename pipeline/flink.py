"""Asks a Flink cluster, by its REST API, whether it can carry a run, and how far the jobs are.

What is missing is named with the key to change before a job starts: once it runs, it is a failed
task among a hundred, and the SDK workers only see that a channel was closed.
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
_OVER = ("CANCELED", "CANCELLING", "FAILED", "FAILING", "FINISHED")  # or will be soon
# Measured with the taxi features, whose transform is a graph of 84 steps: docs/runners.md.
NETWORK_PER_SLOT = 256 * MIB
OFF_HEAP_PER_SLOT = 256 * MIB


def check(section: Flink) -> None:
    """Hold that a cluster fits what the section says of it, and a run.

    Raises:
      ConfigError: it cannot be reached, is of another version, has too few task slots, network
        buffers or direct memory, or ends a job with the first machine that is lost.
    """
    found = _version(ask(section, "/config"))
    if not found.startswith(f"{section.version}."):
        raise ConfigError(
            f"the cluster runs Flink {found}, not {section.version}",
            where=f"runner.flink.version; {section.master}",
            remedy=f"set version to {'.'.join(found.split('.')[:2])!r}, and job_server_jar, if it"
            " is given, to the jar for it",
        )
    managers = ask(section, "/taskmanagers")["taskmanagers"]
    total = sum(manager["slotsNumber"] for manager in managers)
    wanted = section.parallelism or 1
    if total < wanted:
        raise ConfigError(
            f"the cluster has {total} task slots in {len(managers)} task managers, and"
            f" {wanted} are needed",
            where=f"runner.flink.parallelism; {section.master}",
            remedy="start task managers, or lower parallelism",
        )
    _check_memory(managers, where=section.master)
    if section.restarts:
        _check_restarts(section)


def slots(section: Flink) -> tuple[int, int]:
    """Return how many task slots are to be used in all, and of one task manager at the most."""
    managers = ask(section, "/taskmanagers")["taskmanagers"]
    each = [int(manager["slotsNumber"]) for manager in managers] or [1]
    used = section.parallelism or sum(each)
    return used, min(used, max(each))


@contextlib.contextmanager
def followed(section: Flink, job_name: str) -> Iterator[None]:
    """Tell how far a run's jobs are, and end those that are left when the block fails.

    Beam's job server tells nothing, and leaves a job to the cluster when its command ends.

    Args:
      section: what is said of the cluster; one that does not answer is told in the log alone.
      job_name: what the run's jobs are called, each with its stage behind.
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
    waiting = 0  # looks at which no task ran: between two steps of a job, that is so for a moment
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
    """Return a run's jobs that are not over: each stage with what Flink says of its job."""
    try:
        jobs = ask(section, "/jobs/overview")["jobs"]
    except ConfigError:
        LOG.warning("the jobs of %s cannot be asked after", job_name, exc_info=True)
        return []
    prefix = f"{job_name}-"
    return [
        (job["name"].removeprefix(prefix), job)
        for job in jobs
        if job["name"].startswith(prefix) and job["state"] not in _OVER
    ]


def ask(section: Flink, path: str) -> Any:
    """Return an answer of the job manager.

    Raises:
      ConfigError: there is none, or none of Flink's.
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
    """Hold every task manager's memory against what its slots need."""
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
                    remedy=f"set {setting} to {needed // MIB}m and start the task managers anew",
                )


def _check_restarts(section: Flink) -> None:
    """Hold that a job starts anew after a loss: Beam sets that for streams, not for batches."""
    settings = {entry["key"]: entry["value"] for entry in ask(section, "/jobmanager/config")}
    strategy = settings.get("restart-strategy.type", settings.get("restart-strategy", "none"))
    if strategy.lower() in ("none", "off", "disable"):
        raise ConfigError(
            "the cluster ends a job with the first task manager that is lost",
            where=f"restart-strategy.type in Flink's configuration; {section.master}",
            remedy="set restart-strategy.type to fixed-delay and start the job manager anew, or do"
            " without: --set restarts=false",
        )
