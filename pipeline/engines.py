"""Prepares the chosen runner: checks its engine, starts Beam's job server.

`check` needs no Beam and takes milliseconds. `running` keeps one job server for all stages of a
run: otherwise Beam starts a Java process for every pipeline, which takes seconds each time.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline import dataflow, flink, spark
from pipeline.hosts import is_here, listens
from pipeline.runners import Choice
from schemas.errors import ConfigError
from schemas.runners import Dataflow, Docker, Flink, Loopback, Pool, Prism, Process, Spark, Workers

# JVM flags for a process that translates a few jobs and ends: no slower, optimizing compiler.
_SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
# Milliseconds that Flink keeps idle workers, if Beam's classes are in its lib/ folder: longer than
# the gaps between steps, and shorter than the 1 s after which a job restarts when they died.
_KEEP_WORKERS = 500
# Seconds that a job may take on Prism. There, Beam's client applies the timeout of any other
# request, 300 s; for Flink and Spark it waits without a limit.
_LONGEST_JOB = 30 * 24 * 3600
# Before every job Beam lists the packages that pip has installed, in a log that these engines hide.
_NO_PIP = "--experiments=disable_logging_submission_environment"


def check(choice: Choice, paths: Sequence[str] = ()) -> None:
    """Check that the engine answers and fits a run; takes milliseconds, longer in a cloud.

    Args:
      choice: the runner.
      paths: what its workers read and write.

    Raises:
      ConfigError: something is missing; names the key to change, ours or the engine's.
    """
    section = choice.section
    where = f"runner.{choice.name}"
    if isinstance(section, (Flink, Spark, Prism)):
        if section.job_endpoint is not None:
            _require_listener(section.job_endpoint, f"{where}.job_endpoint", "a job server")
        elif isinstance(section, Prism):
            _prism(section)
        else:
            _require_java(section.job_server_jar, where)
    if isinstance(section, Flink):
        flink.check(section)
        _check_workers(section.workers, section.master, where)
    elif isinstance(section, Spark):
        host_port = section.master.removeprefix("spark://")
        if host_port != section.master:
            _require_listener(host_port, f"{where}.master", "a Spark master")
            spark.check(section)
        _check_workers(section.workers, section.master, where)
    elif isinstance(section, Prism):
        _check_workers(section.workers, "localhost", where)
    elif isinstance(section, Dataflow):
        dataflow.check(section, choice.beam, paths)


def _require_java(jar: str | None, where: str) -> None:
    if shutil.which("java") is None:
        raise ConfigError(
            "there is no java on the PATH; Beam's job server needs it",
            where=where,
            remedy="install a Java runtime, 11 or 17, or give job_endpoint of a job server",
        )
    if jar is not None and "://" not in jar and not Path(jar).is_file():
        raise ConfigError(
            f"there is no job server {jar!r}",
            where=f"{where}.job_server_jar",
            expected="the path or URL of Beam's job server jar, or no key, so that it is fetched",
        )


def _require_listener(host_port: str, where: str, what: str) -> None:
    if not listens(host_port):
        raise ConfigError(
            f"nobody answers at {host_port}", where=where, expected=f"the address of {what}"
        )


def _check_workers(workers: Workers, engine: str, where: str) -> None:
    """Check that workers are available, as far as this can be seen from here."""
    here = is_here(engine)
    if isinstance(workers, Loopback) and not here:
        raise ConfigError(
            f"workers in this process cannot be reached from {engine}",
            where=f"{where}.workers",
            expected="pool, process or docker for an engine on other machines",
            remedy="see docs/runners.md for what each needs",
        )
    if isinstance(workers, Pool) and here:
        _require_listener(workers.address, f"{where}.workers.address", "a pool of workers")
    if isinstance(workers, Process) and here and shutil.which(workers.command) is None:
        raise ConfigError(
            f"there is no command {workers.command!r}", where=f"{where}.workers.command"
        )


def _prism(section: Prism) -> str:
    binary = shutil.which(section.binary or "prism")
    if binary is None:
        raise ConfigError(
            f"there is no {section.binary or 'prism'!r}",
            where="runner.prism.binary",
            expected="Beam's Prism, on the PATH or by its path",
            remedy="go install github.com/apache/beam/sdks/v2/go/cmd/prism@v2.74.0",
        )
    return binary


@contextlib.contextmanager
def running(choice: Choice, job_name: str) -> Iterator[None]:
    """Run the stages of the block on a runner, after `check` has passed.

    Args:
      choice: the runner.
      job_name: the prefix of the jobs' names; the stage follows.
    """
    from components.runner import running_on

    section = choice.section
    if isinstance(section, Dataflow):
        with dataflow.staged(section) as own:
            named = f"--job_name={dataflow.job_name(job_name)}"
            with running_on([named, *own, *choice.beam]):
                yield
        return
    arguments = [f"--job_name={job_name}", *_arguments(choice)]
    if not isinstance(section, (Flink, Spark, Prism)):
        with running_on([*arguments, *choice.beam]):
            yield
        return
    from pipeline.job_servers import job_server

    arguments += [_NO_PIP, *_worker_arguments(section.workers), *choice.beam]
    with contextlib.ExitStack() as stack:
        endpoint = section.job_endpoint or stack.enter_context(job_server(section, arguments))
        own = ["--runner=PortableRunner", f"--job_endpoint={endpoint}"]
        stack.enter_context(running_on([*own, *arguments]))
        if isinstance(section, Flink):
            stack.enter_context(flink.followed(section, job_name))
        yield


def _arguments(choice: Choice) -> list[str]:
    """Return a runner's own Beam options."""
    section = choice.section
    given: dict[str, Any] = {}
    if isinstance(section, Flink):
        used, of_a_manager = flink.slots(section)
        given = {
            "flink_master": section.master.rstrip("/"),
            "flink_version": section.version,
            "flink_job_server_jar": section.job_server_jar,
            "parallelism": used,
            # Beam's default is a single Python process for all slots of a task manager
            "sdk_worker_parallelism": of_a_manager,
            "job_server_jvm_properties": _SHORT_LIVED,
            "environment_cache_millis": _KEEP_WORKERS,
        }
    elif isinstance(section, Spark):
        given = {
            "spark_master_url": section.master,
            "spark_job_server_jar": section.job_server_jar,
            "job_server_jvm_properties": spark.properties(section),
            "environment_cache_millis": spark.WORKERS_KEPT,
        }
    elif isinstance(section, Prism):
        given = {
            "prism_location": None if section.job_endpoint else _prism(section),
            "job_server_timeout": _LONGEST_JOB,
        }
    return [
        f"--{key}={one}"
        for key, value in given.items()
        for one in (value if isinstance(value, tuple) else (value,))
        if one is not None
    ]


def _worker_arguments(workers: Workers) -> list[str]:
    """Return Beam's options for how an engine gets its SDK workers."""
    if isinstance(workers, Pool):
        return ["--environment_type=EXTERNAL", f"--environment_config={workers.address}"]
    if isinstance(workers, Docker):
        return ["--environment_type=DOCKER", f"--environment_config={workers.image}"]
    if isinstance(workers, Process):
        started = {
            "command": shutil.which(workers.command) or workers.command,
            # the installed packages are used as they are, without a second environment
            "env": {"RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT": "1", **workers.environment},
        }
        return ["--environment_type=PROCESS", f"--environment_config={json.dumps(started)}"]
    return ["--environment_type=LOOPBACK"]
