"""The nodes ingest, ingest_span and join_spans, as TFX runs them.

They unpack parameters, and record properties of the examples. A source with spans has an
ingest_span for each span, and join_spans in the place of ingest.
"""

import json
from collections.abc import Sequence

import apache_beam as beam
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples

from components import progress
from components.examples import declare_format
from components.ingest.counts import Counts
from components.ingest.ingest import ingest as make_examples
from components.ingest.join import SpanExamples
from components.ingest.join import join_spans as join
from components.sources.source_files import source_files
from schemas import sources, tasks
from schemas import splits as split_kinds
from schemas.columns import loads
from schemas.examples import Examples as Settings
from schemas.prepare import Prepare
from schemas.sources.options import FileOptions, SourceOptions
from schemas.spans import Span
from schemas.splits.options import SPLITS

_SPAN = "source_span"  # the custom property with the span of examples, in JSON


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
    options = sources.loads(source)
    with progress.stage("ingest"):
        counts = make_examples(
            source=options,
            paths=_paths(options, json.loads(patterns)),
            columns=loads(columns),
            splits=split_kinds.loads(splits),
            label=tasks.loads(label),
            prepare=Prepare.model_validate_json(prepare),
            settings=Settings.model_validate_json(settings),
            output=examples.uri,
            options=None if beam_pipeline is None else beam_pipeline.options,
        )
        _record(examples, counts, fingerprint)


@component(use_beam=True)
def ingest_span(
    examples: OutputArtifact[Examples],
    source: Parameter[str],
    span: Parameter[str],
    fingerprint: Parameter[str],
    columns: Parameter[str],
    splits: Parameter[str],
    label: Parameter[str],
    prepare: Parameter[str],
    settings: Parameter[str],
    node: Parameter[str],
    code: Parameter[str],
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Turn a span of the source into examples.

    `span` is a `schemas.spans.Span` in JSON, and `node` the node's id; the others are as in
    `ingest`.
    """
    own, options = Span(**json.loads(span)), sources.loads(source)
    with progress.reported_as("ingest", node), progress.stage("ingest"):
        counts = make_examples(
            source=options,
            paths=_paths(options, [own.path]),
            columns=loads(columns),
            splits=split_kinds.loads(splits),
            label=tasks.loads(label),
            prepare=Prepare.model_validate_json(prepare),
            settings=Settings.model_validate_json(settings),
            output=examples.uri,
            options=None if beam_pipeline is None else beam_pipeline.options,
            whole=False,
        )
        _record(examples, counts, fingerprint)
        examples.span, examples.version = own.number, own.version or 0
        examples.set_string_custom_property(_SPAN, span)


@component
def join_spans(
    spans: InputArtifact[list[Examples]],
    examples: OutputArtifact[Examples],
    source: Parameter[str],
    fingerprint: Parameter[str],
    columns: Parameter[str],
    splits: Parameter[str],
    label: Parameter[str],
    prepare: Parameter[str],
    code: Parameter[str],
) -> None:
    """Join the examples of spans; the span and the version of the result are the newest one's."""
    options = sources.loads(source)
    with progress.stage("ingest"):
        read = [
            SpanExamples(Span(**json.loads(each.get_string_custom_property(_SPAN))), each.uri)
            for each in sorted(spans, key=lambda each: each.span)
        ]
        counts = join(
            read,
            source=options,
            paths=_paths(options, [each.span.path for each in read]),
            columns=loads(columns),
            splits=split_kinds.loads(splits),
            label=tasks.loads(label),
            prepare=Prepare.model_validate_json(prepare),
            output=examples.uri,
        )
        _record(examples, counts, fingerprint)
        newest = read[-1].span
        examples.span, examples.version = newest.number, newest.version or 0


def _paths(source: SourceOptions, patterns: Sequence[str]) -> list[str]:
    """Return the files that match patterns, each once; of a table, its URL."""
    if not isinstance(source, FileOptions):
        return list(patterns)
    paths = [p for each in patterns for p in source_files(each, named=each, source=source)]
    return list(dict.fromkeys(paths))


def _record(examples: Examples, counts: Counts, fingerprint: str) -> None:
    """Record in an artifact what the examples are."""
    examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
    declare_format(examples)
    examples.set_string_custom_property("input_fingerprint", fingerprint)
    examples.set_int_custom_property("records_read", counts.records_read)
    examples.set_int_custom_property("records_rejected", counts.records_rejected)
