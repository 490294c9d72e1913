"""Asks a Spark cluster, by its master's page, whether it can carry a run; tells Spark's settings.

An application that no executor can be had for is told nothing: it waits, and so does who started
it. What is missing is therefore named with the key to change before a job starts.
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

PAGE = 8080  # where a master has its page unless told otherwise
# Milliseconds that an executor keeps its workers: it starts and ends them with every stage of
# Spark's otherwise, 35 times in the taxi features' transform.
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
    """Hold that a standalone cluster can carry a run.

    Raises:
      ConfigError: its page cannot be reached although it was named, it is of another version than
        the job server, or none of its workers has the cores and the memory for an executor.
    """
    address = section.page or f"http://{urlsplit(section.master).hostname}:{PAGE}"
    told = _asked(section, address)
    if told is None:
        return
    if told.get("status") != "ALIVE":
        raise ConfigError(
            f"the master is {told.get('status')}",
            where=f"runner.spark.master; {section.master}",
            expected="the address of the one that is ALIVE",
        )
    _check_workers(section, told)
    _check_version(section, address)


def properties(section: Spark) -> tuple[str, ...]:
    """Return what the job server's Java is told: Spark's settings, and what Java 17 has to open."""
    conf = {**section.conf}
    conf[JAVA_OPTIONS] = " ".join([*OPENS, *filter(None, [conf.get(JAVA_OPTIONS)])])
    return (*OPENS, *(f"-D{key}={value}" for key, value in conf.items()))


def mebibytes(size: str) -> float:
    """Return a size as Spark writes it, in MiB; without a unit it is in MiB.

    >>> mebibytes("2g"), mebibytes("512m"), mebibytes("1024"), mebibytes("2GB")
    (2048.0, 512.0, 1024.0, 2048.0)
    """
    found = re.fullmatch(r"(\d+)([kmgt]?)b?", size.strip().lower())
    if found is None:
        raise ConfigError(
            f"{size!r} is no size", where=f"runner.spark.conf.{MEMORY}", expected="such as 2g"
        )
    return int(found[1]) * {"k": 1 / 1024, "": 1.0, "m": 1.0, "g": 1024.0, "t": 2.0**20}[found[2]]


def _asked(section: Spark, address: str) -> dict[str, Any] | None:
    """Return what the master's page tells; None where no page was named and none is found."""
    try:
        told = json.loads(fetch(f"{address.rstrip('/')}/json/"))
        if not isinstance(told, dict) or not str(told.get("url", "")).startswith("spark://"):
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
    # another master's page, where only its port was guessed, tells nothing
    return told if section.page or told["url"] == section.master else None


def _check_workers(section: Spark, told: Mapping[str, Any]) -> None:
    """Hold that a worker is free for an executor: a job waits for one without a word."""
    workers = [worker for worker in told["workers"] if worker["state"] == "ALIVE"]
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
            f"no worker can hold an executor of {memory:g} MiB and {cores} cores: the largest has"
            f" {most['memory']} MiB and {most['cores']} cores",
            where=where,
            remedy=f"lower {MEMORY} or {CORES} in runner.spark.conf, or raise"
            " SPARK_WORKER_MEMORY or SPARK_WORKER_CORES and start the workers anew",
        )
    if not any(w["memoryfree"] >= memory and w["coresfree"] >= cores for w in workers):
        names = ", ".join(app["name"] for app in told["activeapps"])
        raise ConfigError(
            f"other applications hold the workers' cores or memory: {names}",
            where=where,
            remedy="stop them, start more workers, or give them fewer by spark.cores.max",
        )


def _check_version(section: Spark, address: str) -> None:
    """Hold that job server and cluster are of one Spark: the two send each other Java's objects."""
    found = re.search(rb'class="version"[^>]*>\s*([\d.]+)', fetch(address))
    jar = section.job_server_jar
    if found is None or jar is None or "://" in jar:
        return
    with zipfile.ZipFile(jar) as archive:
        own = re.search(rb"^version=([\d.]+)", archive.read("spark-version-info.properties"), re.M)
    theirs, ours = (m[1].decode() if m else "unknown" for m in (found, own))
    if theirs.split(".")[:2] != ours.split(".")[:2]:
        raise ConfigError(
            f"the cluster runs Spark {theirs}, and the job server is of Spark {ours}",
            where=f"runner.spark.job_server_jar; {section.master}",
            expected=f"a job server built with Spark {'.'.join(theirs.split('.')[:2])}",
        )
