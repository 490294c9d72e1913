"""Beam's job servers, found or fetched as Beam does it, and kept for a whole run.

A server ends with the run that started it, however the run ends, and has ended when the `with`
block is left. Imports Beam, so only a run on an engine imports this module.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence

from apache_beam.options.pipeline_options import (
    JobServerOptions,
    PipelineOptions,
    PrismRunnerOptions,
)
from apache_beam.runners.portability.flink_runner import FlinkJarJobServer
from apache_beam.runners.portability.job_server import SubprocessJobServer
from apache_beam.runners.portability.prism_runner import PrismJobServer
from apache_beam.runners.portability.spark_runner import SparkJarJobServer
from apache_beam.utils.subprocess_server import pick_port

from components.children import bound, end
from pipeline.hosts import listens
from schemas.errors import ConfigError
from schemas.runners import Flink, Prism, Spark

START_SECONDS = 300.0  # limit until a server listens
_LOOK_EVERY = 0.1  # seconds


@contextlib.contextmanager
def job_server(section: Flink | Spark | Prism, arguments: Sequence[str]) -> Iterator[str]:
    """Run the job server of an engine until the block ends; yield its HOST:PORT.

    Beam's own `SubprocessServer` starts the same command, but does not wait for a process that it
    had to kill. The server prints to the output of this process, which is the log.

    Raises:
      ConfigError: it cannot be fetched, or does not start.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="skewless-"))
        try:
            command, endpoint = _command(section, arguments, folder)
            stack.enter_context(running(command, endpoint))
        except (OSError, RuntimeError, ValueError) as error:
            raise ConfigError(
                f"Beam's job server does not start: {error}",
                where=f"runner.{type(section).__name__.lower()}",
                remedy="see the log; without internet, name its jar by job_server_jar",
            ) from error
        yield endpoint


@contextlib.contextmanager
def running(command: Sequence[str], endpoint: str) -> Iterator[None]:
    """Run a server that listens at `endpoint` when the block begins and has ended after the block.

    Raises:
      OSError: there is no such program.
      RuntimeError: it ended at once, or does not listen.
    """
    process = subprocess.Popen(bound(command), stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not listens(endpoint):
            if process.poll() is not None:
                raise RuntimeError(f"it ended with code {process.returncode}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"it does not listen within {START_SECONDS:g} s")
            time.sleep(_LOOK_EVERY)
        yield
    finally:
        end(process)


def _command(
    section: Flink | Spark | Prism, arguments: Sequence[str], folder: str
) -> tuple[list[str], str]:
    """Return the command of a server whose temporary files go to `folder`, and its HOST:PORT."""
    options = PipelineOptions(list(arguments))
    server = options.view_as(JobServerOptions)
    (server.job_port,) = pick_port(None)
    server.artifacts_dir = server.artifacts_dir or folder
    server.job_server_jvm_properties = [
        *(server.job_server_jvm_properties or ()),
        f"-Djava.io.tmpdir={folder}",
        "-XX:-UsePerfData",  # Java keeps this in /tmp, wherever its temporary folder is
    ]
    if isinstance(section, Prism):
        options.view_as(PrismRunnerOptions).prism_log_kind = "text"  # Beam parses JSON itself
    words, endpoint = _of(section, options).subprocess_cmd_and_endpoint()
    return [str(word) for word in words], endpoint


def _of(section: Flink | Spark | Prism, options: PipelineOptions) -> SubprocessJobServer:
    if isinstance(section, Flink):
        return FlinkJarJobServer(options)
    if isinstance(section, Spark):
        return SparkJarJobServer(options)
    return PrismJobServer(options)
