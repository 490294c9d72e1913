"""Opens a stage's Beam pipeline on the chosen runner, and reports its progress and failure.

If the stage's Beam options name no runner, the pipeline runs where `running_on` says, or in this
process. The failure of an engine is raised as one readable error that begins with the cause.

The runner is not a parameter of TFX nodes: it would become part of the cache key, although a stage
gives the same results everywhere, and TFX would pack an sdist of itself for every stage.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextvars import ContextVar

import apache_beam as beam
import grpc
from apache_beam.metrics import MetricsFilter
from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    PortableOptions,
    StandardOptions,
)
from apache_beam.runners.runner import PipelineRunner

from components import files, progress, stores
from components.compat import beam_options, dataflow_refusals, google_unreached
from components.engine_errors import explained, restored, unsent
from schemas.errors import SkewlessError, StoreError

LOGGER = logging.getLogger(__name__)
IN_PROCESS = "FnApiRunner"

_ARGUMENTS: ContextVar[tuple[str, ...]] = ContextVar("beam_arguments", default=())


@contextlib.contextmanager
def running_on(arguments: Sequence[str]) -> Iterator[None]:
    """Run pipelines of the block that name no runner with these Beam arguments."""
    token = _ARGUMENTS.set(tuple(arguments))
    try:
        yield
    finally:
        _ARGUMENTS.reset(token)


@contextlib.contextmanager
def opened(stage: str, options: PipelineOptions | None = None) -> Iterator[beam.Pipeline]:
    """Yield a pipeline, which runs when the block ends.

    Args:
      stage: the stage's name; the job's name ends in it, and its rows are reported for it.
      options: Beam's options; if they name no runner, `running_on` applies.

    Raises:
      SkewlessError: a worker raised it.
      EngineError: an engine outside this process failed, or could not be reached.
      StoreError: the bucket for Dataflow's jobs does not answer, or refuses.
    """
    chosen = _options(stage, options)
    elsewhere, on_dataflow = _elsewhere(chosen), _on_dataflow(chosen)
    built = False
    try:
        with _built_for(chosen), _pipeline(chosen) as pipeline:
            yield pipeline
            built = True
            if on_dataflow:
                # Beam would try for ten minutes to send a job to a missing bucket
                stores.check(chosen.view_as(GoogleCloudOptions).temp_location)
                # Beam's own waiting reports nothing, and lets the job run on after Ctrl-C
                pipeline.options.view_as(StandardOptions).no_wait_until_finish = True
        if on_dataflow:
            from components import dataflow_job

            dataflow_job.wait(stage, pipeline.result, chosen)
    except SkewlessError as error:
        if (original := restored(error)) is not error:
            raise original from error
        raise
    except _failures(chosen) as error:
        if not (elsewhere and built):
            raise
        if isinstance(error, _refusals(chosen)):
            raise explained(stage, str(error)) from error
        raise unsent(stage, _message(error)) from error
    if elsewhere:
        try:
            _tell_rows(stage, pipeline)
        except _failures(chosen):  # the result of the job exists all the same
            LOGGER.exception("the number of rows of %s is unknown", stage)


@contextlib.contextmanager
def shared_folder(
    parent: str, stage: str, options: PipelineOptions | None = None, *, prefix: str = ""
) -> Iterator[str]:
    """Yield a new folder that all workers of a pipeline share; it is always removed.

    It is created in `parent`, so that files in it are moved to their place at once. If that is in a
    store, and the workers are on this machine, it is a temporary folder on this machine instead.

    Args:
      parent: a folder on a disk, or in a store.
      stage: the stage's name.
      options: as for `opened`.
      prefix: the beginning of the folder's name.

    Raises:
      OSError: it cannot be created.
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
        with contextlib.suppress(StoreError):  # the store may be what has failed
            files.remove(folder)
        raise
    files.remove(folder)


def _options(stage: str, options: PipelineOptions | None) -> PipelineOptions:
    # TFX passes options without a runner
    if options is not None and options.view_as(StandardOptions).runner:
        return options
    chosen = beam_options(PipelineOptions(list(_ARGUMENTS.get())))
    named = chosen.view_as(GoogleCloudOptions)  # where Beam keeps the job name for every runner
    named.job_name = f"{named.job_name or 'skewless'}-{stage}"
    return chosen


def _failures(options: PipelineOptions) -> tuple[type[Exception], ...]:
    """Return what a runner raises if a job fails, is refused, or cannot be sent."""
    unsent_by = google_unreached() if _on_dataflow(options) else (grpc.RpcError,)
    return (*_refusals(options), *unsent_by)


def _refusals(options: PipelineOptions) -> tuple[type[Exception], ...]:
    return (RuntimeError, *(dataflow_refusals() if _on_dataflow(options) else ()))


def _message(error: Exception) -> str:
    """Return an error's own message, which gRPC surrounds with a page of text."""
    return error.details() or str(error) if isinstance(error, grpc.Call) else str(error)


def _on_dataflow(options: PipelineOptions) -> bool:
    return options.view_as(StandardOptions).runner == "DataflowRunner"


def _pipeline(options: PipelineOptions) -> beam.Pipeline:
    """Return a new pipeline, sealed if workers are elsewhere."""
    if not _elsewhere(options):
        return beam.Pipeline(_runner(options), options=options)
    from components.sealed import SealedPipeline

    return SealedPipeline(_runner(options), options=options)


def _built_for(options: PipelineOptions) -> contextlib.AbstractContextManager[None]:
    if options.view_as(StandardOptions).runner != IN_PROCESS:
        return contextlib.nullcontext()
    from components import lean_beam

    return lean_beam.one_worker()


def _runner(options: PipelineOptions) -> PipelineRunner | None:
    """Return our own runner for a job server or this process; None for the one in the options."""
    from components import small_graph

    ours = {
        "PortableRunner": small_graph.SmallGraphRunner,
        IN_PROCESS: small_graph.SmallGraphInProcess,
    }
    kind = ours.get(options.view_as(StandardOptions).runner)
    return kind and kind()


def _elsewhere(options: PipelineOptions) -> bool:
    """Return whether workers are in other processes, whose `progress.rows` do not arrive here."""
    runner = options.view_as(StandardOptions).runner
    loopback = options.view_as(PortableOptions).environment_type == "LOOPBACK"
    return runner != IN_PROCESS and not loopback


def _tell_rows(stage: str, pipeline: beam.Pipeline) -> None:
    """Report the rows of the stage's own counter, all at once."""
    metrics = pipeline.result.metrics().query(MetricsFilter().with_namespace(stage))
    counts = [c.committed or c.attempted or 0 for c in metrics["counters"]]
    if counts:
        progress.rows(stage, max(counts))
