"""Asks a Spark master's page whether the cluster can run a pipeline; has Spark's settings.

Spark reports nothing to an application that gets no executor: it waits, and so does the user.
Therefore whatever is missing is reported before a job starts, with the key to change.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pipeline.hosts import fetch
from schemas.errors import ConfigError
from schemas.runners import Spark

PAGE = 8080  # the default port of a master's page
# Milliseconds that an executor keeps its workers. Otherwise it starts and ends them with every
# Spark stage, 35 times in the taxi features' transform.
WORKERS_KEPT = 600_000
# What Spark's own launcher opens for Java 17; an older Java ignores it.
OPENS = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    *(
        f"--add-opens=java.base/{package}=ALL-UNNAMED"
        for package in (
            "java.lang",
            "java.lang.invoke",
            "java.lang.reflect",
            "java.io",
            "java.net",
            "java.nio",
            "java.util",
            "java.util.concurrent",
            "java.util.concurrent.atomic",
            "sun.nio.ch",
            "sun.nio.cs",
            "sun.security.action",
            "sun.util.calendar",
        )
    ),
)
CORES, MEMORY = "spark.executor.cores", "spark.executor.memory"
JAVA_OPTIONS = "spark.executor.extraJavaOptions"


def check(section: Spark) -> None:
    """Check that a standalone cluster can run a pipeline.

    Raises:
      ConfigError: its page was named and cannot be reached, its version differs from the job
        server's, or none of its workers has the cores and the memory for an executor.
    """
    address = section.page or f"http://{urlsplit(section.master).hostname}:{PAGE}"
    state = _master_state(section, address)
    if state is None:
        return
    if state.get("status") != "ALIVE":
        raise ConfigError(
            f"the master is {state.get('status')}",
            where=f"runner.spark.master; {section.master}",
            expected="the address of the one that is ALIVE",
        )
    _check_workers(section, state)
    _check_version(section, address)


def properties(section: Spark) -> tuple[str, ...]:
    """Return the Java options of the job server: Spark's settings, and packages to open."""
    conf = {**section.conf}
    conf[JAVA_OPTIONS] = " ".join([*OPENS, *filter(None, [conf.get(JAVA_OPTIONS)])])
    return (*OPENS, *(f"-D{key}={value}" for key, value in conf.items()))


def mebibytes(size: str) -> float:
    """Return a size in Spark's notation in MiB; a number without a unit is in MiB.

    >>> mebibytes("2g"), mebibytes("512m"), mebibytes("1024"), mebibytes("2GB")
    (2048.0, 512.0, 1024.0, 2048.0)
    """
    match = re.fullmatch(r"(\d+)([kmgt]?)b?", size.strip().lower())
    if match is None:
        raise ConfigError(
            f"{size!r} is not a size", where=f"runner.spark.conf.{MEMORY}", expected="such as 2g"
        )
    return int(match[1]) * {"k": 1 / 1024, "": 1.0, "m": 1.0, "g": 1024.0, "t": 2.0**20}[match[2]]


def _master_state(section: Spark, address: str) -> dict[str, Any] | None:
    """Return the data of the master's page; None if no page was named and none was found."""
    try:
        state = json.loads(fetch(f"{address.rstrip('/')}/json/"))
        if not isinstance(state, dict) or not str(state.get("url", "")).startswith("spark://"):
            raise ValueError("it answers, but not as a Spark master does")
    except (OSError, ValueError) as error:
        if section.page is None:
            return None
        reason = getattr(error, "reason", error)
        raise ConfigError(
            f"no Spark master's page at {address}: {reason}",
            where="runner.spark.page",
            expected="the address of the master's page, such as http://localhost:8080",
        ) from error
    # with a guessed port, the page may belong to another master
    return state if section.page or state["url"] == section.master else None


def _check_workers(section: Spark, state: Mapping[str, Any]) -> None:
    """Check that a worker has room for an executor: a job waits for one without a message."""
    workers = [worker for worker in state["workers"] if worker["state"] == "ALIVE"]
    where = f"runner.spark.master; {section.master}"
    if not workers:
        raise ConfigError(
            "the master has no workers", where=where, remedy="start a worker for this master"
        )
    memory = mebibytes(section.conf.get(MEMORY, "1g"))
    cores = int(section.conf.get(CORES, "1"))
    if not any(w["memory"] >= memory and w["cores"] >= cores for w in workers):
        most = max(workers, key=lambda w: (w["memory"], w["cores"]))
        raise ConfigError(
            f"no worker has room for an executor of {memory:g} MiB and {cores} cores: the largest"
            f" has {most['memory']} MiB and {most['cores']} cores",
            where=where,
            remedy=f"lower {MEMORY} or {CORES} in runner.spark.conf, or raise"
            " SPARK_WORKER_MEMORY or SPARK_WORKER_CORES and restart the workers",
        )
    if not any(w["memoryfree"] >= memory and w["coresfree"] >= cores for w in workers):
        names = ", ".join(app["name"] for app in state["activeapps"])
        raise ConfigError(
            f"other applications use the workers' cores or memory: {names}",
            where=where,
            remedy="stop them, start more workers, or give them fewer by spark.cores.max",
        )


def _check_version(section: Spark, address: str) -> None:
    """Check that job server and cluster have the same Spark version: they exchange Java objects."""
    match = re.search(rb'class="version"[^>]*>\s*([\d.]+)', fetch(address))
    jar = section.job_server_jar
    if match is None or jar is None or "://" in jar:
        return
    with zipfile.ZipFile(jar) as archive:
        own = re.search(rb"^version=([\d.]+)", archive.read("spark-version-info.properties"), re.M)
    theirs, ours = (m[1].decode() if m else "unknown" for m in (match, own))
    if theirs.split(".")[:2] != ours.split(".")[:2]:
        raise ConfigError(
            f"the cluster runs Spark {theirs}, and the job server is for Spark {ours}",
            where=f"runner.spark.job_server_jar; {section.master}",
            expected=f"a job server built with Spark {'.'.join(theirs.split('.')[:2])}",
        )
