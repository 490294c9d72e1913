"""Runs a Beam pipeline with a single small result, and returns the result.

The result is a pydantic model, which is passed through a folder that workers and caller share. An
error that a worker left by `keep_failure` is raised again unchanged.
"""

from __future__ import annotations

import os
from typing import TypeVar

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from components import files, runner
from components.ingest.failures import kept_failure
from schemas.errors import StoreError
from schemas.strict import Strict

Result = TypeVar("Result", bound=Strict)

_FILE_NAME = "tally.json"


def outcome(
    stage: str,
    steps: beam.PTransform,
    folder: str,
    kind: type[Result],
    options: PipelineOptions | None,
) -> Result:
    """Run the steps, and return their result.

    Args:
      stage: the stage for reports of rows and jobs.
      steps: a labelled root PTransform with one result.
      folder: the folder for the result or an error; `reserve` has made room in it.
      kind: the result's class.
      options: Beam's options; None runs it in this process.

    Raises:
      SkewlessError: a worker failed with it.
    """
    path = os.path.join(folder, _FILE_NAME)
    try:
        with runner.opened(stage, options) as pipeline:
            _ = pipeline | steps | "Return" >> beam.Map(_write, path)
    except StoreError:
        raise  # the folder may be in a store that does not answer
    except Exception as error:
        failure = kept_failure(folder)
        if failure is None:
            raise
        raise failure from error
    return kind.model_validate_json(files.read_bytes(path))


def _write(result: Strict, path: str) -> None:
    files.write_whole(path, result.model_dump_json())
