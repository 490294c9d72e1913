"""Beam's job servers, as Beam itself finds or fetches them, kept for a whole run.

Goes in: what pipeline.yaml says of an engine. Comes out: HOST:PORT that jobs are sent to. Promised:
a server ends with the run that started it, however that ends. Imports Beam: only a run on an engine
does.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

from apache_beam.options.pipeline_options import JobServerOptions, PipelineOptions
from apache_beam.runners.portability.flink_runner import FlinkJarJobServer
from apache_beam.runners.portability.job_server import SubprocessJobServer
from apache_beam.runners.portability.prism_runner import PrismJobServer
from apache_beam.runners.portability.spark_runner import SparkJarJobServer
from apache_beam.utils.subprocess_server import pick_port

from schemas.errors import ConfigError
from schemas.runners import Flink, Prism, Spark


@contextlib.contextmanager
def job_server(section: Flink | Spark | Prism, arguments: Sequence[str]) -> Iterator[str]:
    """Run the job server of an engine until the block ends; yield its HOST:PORT.

    Raises:
      ConfigError: it cannot be fetched, or does not start.
    """
    options = PipelineOptions(list(arguments))
    (port,) = pick_port(None)
    options.view_as(JobServerOptions).job_port = port
    server = _of(section, options)
    command_of = server.subprocess_cmd_and_endpoint

    def bound_command() -> tuple[list[Any], str]:
        words, endpoint = command_of()
        return bound(words), endpoint

    server.subprocess_cmd_and_endpoint = bound_command
    try:
        server.start()
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(
            f"Beam's job server does not start: {error}",
            where=f"runner.{type(section).__name__.lower()}",
            remedy="see the log; without internet, name its jar by job_server_jar",
        ) from error
    try:
        yield f"localhost:{port}"
    finally:
        server.stop()


def bound(command: Sequence[Any]) -> list[Any]:
    """Return a command whose process ends with the thread that starts it, even if it is killed.

    A run that was killed left a Java process of 300 MB behind. Where there is no setpriv, as on
    other systems than Linux, it does so still.
    """
    setpriv = shutil.which("setpriv")
    return [*([setpriv, "--pdeathsig", "TERM"] if setpriv else []), *command]


def _of(section: Flink | Spark | Prism, options: PipelineOptions) -> SubprocessJobServer:
    if isinstance(section, Flink):
        return FlinkJarJobServer(options)
    if isinstance(section, Spark):
        return SparkJarJobServer(options)
    return PrismJobServer(options)
