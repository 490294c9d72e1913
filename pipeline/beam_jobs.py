"""Beam's options and jobs, for commands that start at once and load Beam afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystem import FileMetadata
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.runner import PipelineState

from components.files import Entry


def options_of(arguments: Sequence[str], **settings: Any) -> PipelineOptions:
    """Return Beam's options from the command line."""
    return PipelineOptions(list(arguments), **settings)


def runner_of(options: PipelineOptions) -> str:
    """Return the name of the runner, or "" for the default one."""
    return str(options.view_as(StandardOptions).runner or "")


def pipeline_of(options: PipelineOptions) -> beam.Pipeline:
    """Return a pipeline without steps."""
    return beam.Pipeline(options=options)


def is_done(result: Any) -> bool:
    """Return whether the job of a pipeline's result has ended."""
    return bool(PipelineState.is_terminal(result.state))


def as_metadata(entries: Sequence[Entry]) -> list[FileMetadata]:
    """Return files that were found as Beam's own sources do."""
    return [FileMetadata(e.path, e.size, e.changed / 1e9) for e in entries]
