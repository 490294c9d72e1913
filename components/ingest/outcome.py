"""Runs a Beam pipeline that ends in one small result, and brings the result home.

Goes in: steps that give one pydantic model, and a folder that workers and caller share. Comes out:
the model. Promised: an error that a worker left by `keep_failure` is raised again as it was.
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
    """Run the steps, and return what they give.

    Args:
      stage: whose rows and job they are.
      steps: a labelled root PTransform of one result.
      folder: where the result and an error are left; `reserve` has made room in it.
      kind: the result's class.
      options: where Beam runs; None is in this process.

    Raises:
      SkewlessError: a worker kept one.
    """
    path = os.path.join(folder, _FILE_NAME)
    try:
        with runner.opened(stage, options) as pipeline:
            _ = pipeline | steps | "Tell" >> beam.Map(_write, path)
    except StoreError:
        raise  # the folder may be where nothing answers
    except Exception as error:
        failure = kept_failure(folder)
        if failure is None:
            raise
        raise failure from error
    return kind.model_validate_json(files.read_bytes(path))


def _write(result: Strict, path: str) -> None:
    files.write_whole(path, result.model_dump_json())
