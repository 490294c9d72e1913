"""Opens a stage's Beam pipeline on the runner that was chosen, and tells how it went there.

Goes in: a stage's name and, where it was given any, Beam's options. Promised: unless they name a
runner, the pipeline runs where `running_on` says, else in this process; what an engine failed with
is raised as one readable error, the cause first.

The choice is no parameter of TFX's: it would become part of the cache's key, although a stage gives
the same wherever it runs, and TFX would pack an sdist of itself for every stage.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING

from components import files, progress, stores
from components.compat import beam_options, dataflow_refusals, google_unreached
from components.engine_errors import explained, restored, unsent
from schemas.errors import SkewlessError, StoreError

if TYPE_CHECKING:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners.runner import PipelineRunner

LOGGER = logging.getLogger(__name__)
IN_PROCESS = "FnApiRunner"

_ARGUMENTS: ContextVar[tuple[str, ...]] = ContextVar("beam_arguments", default=())


@contextlib.contextmanager
def running_on(arguments: Sequence[str]) -> Iterator[None]:
    """Run pipelines that are opened without a runner with these arguments of Beam."""
    token = _ARGUMENTS.set(tuple(arguments))
    try:
        yield
    finally:
        _ARGUMENTS.reset(token)


@contextlib.contextmanager
def opened(stage: str, options: PipelineOptions | None = None) -> Iterator[beam.Pipeline]:
    """Yield a pipeline, which runs when the block ends.

    Args:
      stage: the stage's name; the job's name ends in it, and its rows are told as the stage's.
      options: Beam's, where they name a runner; otherwise it is what `running_on` says.

    Raises:
      SkewlessError: a worker raised it.
      EngineError: an engine outside this process gave up, or could not be asked.
      StoreError: the bucket that Dataflow's jobs are sent to does not answer, or refuses.
    """
    from apache_beam.options.pipeline_options import GoogleCloudOptions, StandardOptions

    chosen = _options(stage, options)
    elsewhere, on_dataflow = _elsewhere(chosen), _on_dataflow(chosen)
    built = False
    try:
        with _pipeline(chosen) as pipeline:
            yield pipeline
            built = True
            if on_dataflow:
                # Beam would try for ten minutes to send a job to a bucket that is gone
                stores.check(chosen.view_as(GoogleCloudOptions).temp_location)
                # its own waiting tells nothing, and Ctrl-C leaves the job to run on
                pipeline.options.view_as(StandardOptions).no_wait_until_finish = True
        if on_dataflow:
            from components import dataflow_job

            dataflow_job.wait(stage, pipeline.result, chosen)
    except SkewlessError as error:
        if (told := restored(error)) is not error:
            raise told from error
        raise
    except _failures(chosen) as error:
        if not (elsewhere and built):
            raise
        if isinstance(error, _refusals(chosen)):
            raise explained(stage, str(error)) from error
        raise unsent(stage, _said(error)) from error
    if elsewhere:
        try:
            _tell_rows(stage, pipeline)
        except _failures(chosen):  # what the job was for is there all the same
            LOGGER.exception("the rows of %s are not known", stage)


@contextlib.contextmanager
def shared_folder(
    parent: str, stage: str, options: PipelineOptions | None = None, *, prefix: str = ""
) -> Iterator[str]:
    """Yield a new folder that all of a pipeline's workers share, and remove it whatever happens.

    It is made in `parent`, so that what is made there is moved to its place at once. Where that is
    in a store, and workers are on this machine, it is a temporary folder of this machine instead.

    Args:
      parent: a folder on a disk, or in a store.
      stage: the stage's name.
      options: as for `opened`.
      prefix: what the folder's name begins with.

    Raises:
      OSError: it cannot be made.
    """
    if files.in_store(parent) and _elsewhere(_options(stage, options)):
        folder = os.path.join(parent, f"{prefix}{uuid.uuid4().hex}")
    elif files.in_store(parent):
        folder = tempfile.mkdtemp(prefix="skewless-")
    else:
        os.makedirs(parent, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=prefix, dir=parent)
    try:
        yield folder
    except BaseException:
        with contextlib.suppress(StoreError):  # which is what may have failed
            files.remove(folder)
        raise
    files.remove(folder)


def _options(stage: str, options: PipelineOptions | None) -> PipelineOptions:
    from apache_beam.options.pipeline_options import (
        GoogleCloudOptions,
        PipelineOptions,
        StandardOptions,
    )

    # TFX gives options that say nothing of a runner
    if options is not None and options.view_as(StandardOptions).runner:
        return options
    chosen = beam_options(PipelineOptions(list(_ARGUMENTS.get())))
    named = chosen.view_as(GoogleCloudOptions)  # where Beam keeps the name of every runner's job
    named.job_name = f"{named.job_name or 'skewless'}-{stage}"
    return chosen


def _failures(options: PipelineOptions) -> tuple[type[Exception], ...]:
    """Return what a runner raises when a job fails or is refused, or cannot be sent."""
    import grpc

    unsent_by = google_unreached() if _on_dataflow(options) else (grpc.RpcError,)
    return (*_refusals(options), *unsent_by)


def _refusals(options: PipelineOptions) -> tuple[type[Exception], ...]:
    return (RuntimeError, *(dataflow_refusals() if _on_dataflow(options) else ()))


def _said(error: Exception) -> str:
    """Return an error's own words, of which gRPC makes a page."""
    import grpc

    return error.details() or str(error) if isinstance(error, grpc.Call) else str(error)


def _on_dataflow(options: PipelineOptions) -> bool:
    from apache_beam.options.pipeline_options import StandardOptions

    return options.view_as(StandardOptions).runner == "DataflowRunner"


def _pipeline(options: PipelineOptions) -> beam.Pipeline:
    """Return a new pipeline, sealed where workers are elsewhere."""
    if not _elsewhere(options):
        import apache_beam as beam

        return beam.Pipeline(_runner(options), options=options)
    from components.sealed import SealedPipeline

    return SealedPipeline(_runner(options), options=options)


def _runner(options: PipelineOptions) -> PipelineRunner | None:
    """Return our own runner for a job server, None for the one that the options name."""
    from apache_beam.options.pipeline_options import StandardOptions

    if options.view_as(StandardOptions).runner != "PortableRunner":
        return None
    from components.small_graph import SmallGraphRunner

    return SmallGraphRunner()


def _elsewhere(options: PipelineOptions) -> bool:
    """Return whether workers are in other processes, where nobody hears `progress.rows`."""
    from apache_beam.options.pipeline_options import PortableOptions, StandardOptions

    runner = options.view_as(StandardOptions).runner
    loopback = options.view_as(PortableOptions).environment_type == "LOOPBACK"
    return runner != IN_PROCESS and not loopback


def _tell_rows(stage: str, pipeline: beam.Pipeline) -> None:
    """Tell the rows that the stage's own counter counted, all at once."""
    from apache_beam.metrics import MetricsFilter

    found = pipeline.result.metrics().query(MetricsFilter().with_namespace(stage))
    counts = [c.committed or c.attempted or 0 for c in found["counters"]]
    if counts:
        progress.rows(stage, max(counts))
