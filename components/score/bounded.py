"""A Beam pipeline over one batch after another, in this process: built once, run for each of them.

Goes in: steps over a PCollection, and batches of its elements. Comes out: what was counted of each.
Promised: a run is over when `run` returns, and leaves no memory behind, so that there may be any
number of them; what a step raises on purpose is raised as it was.

Beam's in-process runner is made for pipelines that end. It keeps everything that an unbounded one
does until then, which docs/decisions/0008-streams-in-batches.md measures.
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

_batches: dict[str, Sequence[Any]] = {}  # that pipelines of this process work on, by their names


class BoundedPipeline:
    """A pipeline that is run for each batch.

    >>> pipeline = BoundedPipeline(lambda files: files | ScoreFoundFiles(…))  # doctest: +SKIP
    >>> pipeline.run([FileMetadata("incoming/a.csv", 0)])  # doctest: +SKIP
    {'records_read': 40, 'records_scored': 40}

    Args:
      steps: builds the pipeline on a PCollection of a batch's elements; a `TimestampedValue` is an
        element with an event time.
      options: Beam's.

    Raises:
      ConfigError: the options ask for workers in other processes or threads.
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
        # Beam makes a temporary folder for each pipeline, which is only removed if that runs
        shutil.rmtree(pipeline.local_tempdir, ignore_errors=True)
        steps(
            pipeline
            | "Batch" >> beam.Create([self._name], reshuffle=False)
            | "Elements" >> beam.FlatMap(_elements)
        )
        # To build a pipeline costs twice what a run of it does, and each has its own model's handle
        self._graph = pipeline.to_runner_api(
            default_environment=environments.EmbeddedPythonEnvironment.default()
        )

    def run(self, batch: Sequence[Any]) -> dict[str, int]:
        """Run the steps over a batch's elements, and return what was counted.

        Raises:
          SkewlessError: a step raised it.
        """
        _batches[self._name] = batch
        try:
            result = FnApiRunner().run_via_runner_api(self._graph, self._options)
        except SkewlessError as error:
            if (told := restored(error)) is not error:
                raise told from error
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
    """Drop the entries of objects that are gone from Beam's map of shared ones.

    RunInference adds an entry whenever its DoFn is set up, which Beam never removes.
    """
    handles = shared._shared_map
    with handles._lock:
        for key, block in list(handles._cache_map.items()):
            if block._ref is not None and block._ref() is None:
                del handles._cache_map[key]
