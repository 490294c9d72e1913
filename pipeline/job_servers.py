"""Beam's job servers, as Beam itself finds or fetches them, kept for a whole run.

Goes in: what pipeline.yaml says of an engine. Comes out: HOST:PORT that jobs are sent to. Imports
Beam: only a run on an engine does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from apache_beam.options.pipeline_options import JobServerOptions, PipelineOptions
from apache_beam.runners.portability.flink_runner import FlinkJarJobServer
from apache_beam.runners.portability.job_server import JobServer
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


def _of(section: Flink | Spark | Prism, options: PipelineOptions) -> JobServer:
    if isinstance(section, Flink):
        return FlinkJarJobServer(options)
    if isinstance(section, Spark):
        return SparkJarJobServer(options)
    return PrismJobServer(options)
