"""The ingest node: unpacks parameters, reads the source, records properties of the examples."""

import json

import apache_beam as beam
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples

from components import progress
from components.examples import declare_format
from components.ingest.ingest import ingest as make_examples
from components.sources.source_files import source_files
from schemas import sources, tasks
from schemas import splits as split_kinds
from schemas.columns import loads
from schemas.examples import Examples as Settings
from schemas.prepare import Prepare
from schemas.sources.options import FileOptions
from schemas.splits.options import SPLITS


@component(use_beam=True)
def ingest(
    examples: OutputArtifact[Examples],
    source: Parameter[str],
    patterns: Parameter[str],
    fingerprint: Parameter[str],
    columns: Parameter[str],
    splits: Parameter[str],
    label: Parameter[str],
    prepare: Parameter[str],
    settings: Parameter[str],
    code: Parameter[str],
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Turn the source into examples.

    The files are those that match `patterns`, a list in JSON, now; a table's URL is its own path.
    `fingerprint` is the digest of their contents for the cache.
    """
    options, paths = sources.loads(source), json.loads(patterns)
    if isinstance(options, FileOptions):
        paths = [p for each in paths for p in source_files(each, named=each, source=options)]
    with progress.stage("ingest"):
        counts = make_examples(
            source=options,
            paths=list(dict.fromkeys(paths)),
            columns=loads(columns),
            splits=split_kinds.loads(splits),
            label=tasks.loads(label),
            prepare=Prepare.model_validate_json(prepare),
            settings=Settings.model_validate_json(settings),
            output=examples.uri,
            options=None if beam_pipeline is None else beam_pipeline.options,
        )
        examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
        declare_format(examples)
        examples.set_string_custom_property("input_fingerprint", fingerprint)
        examples.set_int_custom_property("records_read", counts.records_read)
        examples.set_int_custom_property("records_rejected", counts.records_rejected)
