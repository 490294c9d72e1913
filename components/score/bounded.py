"""A Beam pipeline in this process that is built once and run for one batch after another.

`run` takes a batch of elements and returns its counters. It leaves no memory behind, so that it can
be called any number of times. A SkewlessError that a step raises is raised unchanged.

Beam's in-process runner is made for bounded pipelines. It keeps all state of an unbounded one until
it ends; docs/decisions/0008-streams-in-batches.md has measurements.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms import environments
from apache_beam.utils import shared

from components.engine_errors import restored
from components.score import counts
from schemas.errors import ConfigError, SkewlessError

_batches: dict[str, Sequence[Any]] = {}  # the batches of this process's pipelines, by their names


class BoundedPipeline:
    """A pipeline that runs once for each batch.

    >>> pipeline = BoundedPipeline(lambda files: files | ScoreFoundFiles(…))  # doctest: +SKIP
    >>> pipeline.run([FileMetadata("incoming/a.csv", 0)])  # doctest: +SKIP
    {'records_read': 40, 'records_scored': 40}

    Args:
      steps: builds the pipeline on a PCollection of a batch's elements; a `TimestampedValue` is an
        element with an event time.
      options: Beam's options.

    Raises:
      ConfigError: the options require workers in other processes or threads.
    """

    def __init__(
        self,
        steps: Callable[[beam.PCollection[Any]], object],
        options: PipelineOptions | None = None,
    ) -> None:
        self._options = PipelineOptions([]) if options is None else options
        _check(self._options.view_as(DirectOptions))
        self._name = uuid.uuid4().hex
        pipeline = beam.Pipeline(FnApiRunner(), options=self._options)
        # Beam creates a temporary folder for each pipeline, and removes it only if that runs
        shutil.rmtree(pipeline.local_tempdir, ignore_errors=True)
        steps(
            pipeline
            | "Batch" >> beam.Create([self._name], reshuffle=False)
            | "Elements" >> beam.FlatMap(_elements)
        )
        # Building a pipeline takes twice as long as running it, and loads another model handle
        self._graph = pipeline.to_runner_api(
            default_environment=environments.EmbeddedPythonEnvironment.default()
        )

    def run(self, batch: Sequence[Any]) -> dict[str, int]:
        """Run the steps on a batch's elements, and return the counters.

        Raises:
          SkewlessError: a step raised it.
        """
        _batches[self._name] = batch
        try:
            result = FnApiRunner().run_via_runner_api(self._graph, self._options)
        except SkewlessError as error:
            if (original := restored(error)) is not error:
                raise original from error
            raise
        finally:
            del _batches[self._name]
            _forget_dead_handles()
        return counts.of_result(result)


def _elements(name: str) -> Sequence[Any]:
    return _batches[name]


def _check(options: DirectOptions) -> None:
    if options.direct_running_mode != "in_memory" or options.direct_num_workers != 1:
        raise ConfigError(
            "a stream in this process has one worker",
            where="behind --",
            expected="neither --direct_num_workers nor --direct_running_mode",
            remedy="name a runner that has several, such as -- --runner=FlinkRunner",
        )


def _forget_dead_handles() -> None:
    """Remove the entries of deleted objects from Beam's map of shared ones.

    RunInference adds an entry whenever its DoFn is set up, and Beam never removes it.
    """
    handles = shared._shared_map
    with handles._lock:
        for key, block in list(handles._cache_map.items()):
            if block._ref is not None and block._ref() is None:
                del handles._cache_map[key]
