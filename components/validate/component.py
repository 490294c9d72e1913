"""The nodes import_schema, statistics, measure_span, validate and gate, as TFX runs them."""

import json
import os
from typing import TYPE_CHECKING

import apache_beam as beam
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import (
    ExampleAnomalies,
    Examples,
    ExampleStatistics,
    Schema,
)

from components import files, progress
from components.ingest.counts import Counts
from components.validate import gate as gatekeeping
from components.validate import preflight, stored
from components.validate.caps import FeaturePlan
from components.validate.comparisons import ComparedRows, MeasuredRows
from components.validate.files import SCHEMA, WHOLE
from components.validate.findings import Findings
from components.validate.rule_results import RuleResult
from schemas import tasks
from schemas.columns import TRAINING, loads, parse_schema
from schemas.splits.options import SPLITS
from schemas.validation import Validation

if TYPE_CHECKING:
    from components.validate.measured import Measured


@component
def import_schema(
    schema: OutputArtifact[Schema], text: Parameter[str], code: Parameter[str]
) -> None:
    """Make an artifact of the text of schema.pbtxt, so that a changed schema is a new artifact."""
    with progress.stage("import_schema"):
        files.write_whole(os.path.join(schema.uri, SCHEMA), text)


@component(use_beam=True)
def statistics(
    examples: InputArtifact[Examples],
    schema: InputArtifact[Schema],
    statistics: OutputArtifact[ExampleStatistics],
    label: Parameter[str],
    code: Parameter[str],
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Measure every split, and how columns relate to the label."""
    with progress.stage("statistics"):
        from components.validate import statistics as measuring

        path = os.path.join(schema.uri, SCHEMA)
        parsed = parse_schema(files.read_text(path), where=path)
        rows = measuring.generate(
            examples=examples.uri,
            schema=parsed,
            output=statistics.uri,
            options=None if beam_pipeline is None else beam_pipeline.options,
            label=tasks.loads(label),
        )
        statistics.split_names = artifact_utils.encode_split_names(list(SPLITS))
        statistics.span = examples.span
        statistics.set_json_value_custom_property("rows", rows)


@component(use_beam=True)
def measure_span(
    examples: InputArtifact[Examples],
    schema: InputArtifact[Schema],
    statistics: OutputArtifact[ExampleStatistics],
    node: Parameter[str],
    name: Parameter[str],
    code: Parameter[str],
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Measure a span: all its rows, and what the statistics of several spans are merged from.

    `node` is the node's id.
    """
    with progress.reported_as("statistics", node), progress.stage("statistics"):
        from components.validate import span_statistics

        path = os.path.join(schema.uri, SCHEMA)
        span_statistics.measure(
            examples=examples.uri,
            schema=parse_schema(files.read_text(path), where=path),
            output=statistics.uri,
            whole=WHOLE,
            options=None if beam_pipeline is None else beam_pipeline.options,
        )
        statistics.split_names = artifact_utils.encode_split_names([WHOLE])
        statistics.span = examples.span
        statistics.set_string_custom_property("span_name", name)


@component
def join_statistics(
    spans: InputArtifact[list[ExampleStatistics]],
    examples: InputArtifact[Examples],
    schema: InputArtifact[Schema],
    statistics: OutputArtifact[ExampleStatistics],
    label: Parameter[str],
    code: Parameter[str],
) -> None:
    """Merge the statistics of spans, from `measure_span`, into those of every split.

    `examples` are the joined ones, of which a sample is read.
    """
    with progress.stage("statistics"):
        from components.validate import span_statistics

        path = os.path.join(schema.uri, SCHEMA)
        rows = span_statistics.merge(
            [each.uri for each in sorted(spans, key=lambda each: each.span)],
            examples=examples.uri,
            schema=parse_schema(files.read_text(path), where=path),
            output=statistics.uri,
            label=tasks.loads(label),
        )
        statistics.split_names = artifact_utils.encode_split_names(list(SPLITS))
        statistics.span = examples.span
        statistics.set_json_value_custom_property("rows", rows)


@component
def validate(
    statistics: InputArtifact[ExampleStatistics],
    schema: InputArtifact[Schema],
    examples: InputArtifact[Examples],
    anomalies: OutputArtifact[ExampleAnomalies],
    code: Parameter[str],
    rules: Parameter[str] = "",
    columns: Parameter[str] = "",
    previous: Parameter[str] = "",
    newest: InputArtifact[ExampleStatistics] = None,
    before: InputArtifact[ExampleStatistics] = None,
    published: Parameter[str] = "",
) -> None:
    """Check the statistics against the schema; findings stop nothing here, so they are kept.

    `rules` is, in JSON, the rules of pipeline.yaml, `columns` the columns that they may use, and
    `previous` the folder of the statistics that their `previous` means; each is empty where there
    is nothing. `newest` and `before` are statistics of the two newest spans, from `measure_span`.
    `published` is, in JSON, the `version` that was pushed last and the folder of `statistics` of
    its training data.
    """
    with progress.stage("validate"):
        from components.validate import anomalies as validation_of_statistics

        found = validation_of_statistics.validate(
            statistics_dir=statistics.uri,
            examples=examples.uri,
            schema_path=os.path.join(schema.uri, SCHEMA),
            output=anomalies.uri,
            rules=_ruled(rules, columns, examples.uri, statistics.uri, previous),
            comparisons=[*_of_spans(newest, before), *_of_published(statistics, published)],
        )
        anomalies.split_names = artifact_utils.encode_split_names(list(SPLITS))
        anomalies.span = statistics.span
        # as TFX's own validator says it: 1 for a split without anomalies
        broken = {f.split for f in found.findings if f.environment == TRAINING}
        anomalies.set_json_value_custom_property(
            "blessed", {split: int(split not in broken) for split in SPLITS}
        )
        merged = gatekeeping.merge_environments(found.findings)
        progress.note("validate", anomalies=len(merged))


def _ruled(
    rules: str, columns: str, examples: str, statistics: str, previous: str
) -> tuple[RuleResult, ...]:
    """Return what the rules give for the examples; nothing where there are none."""
    if not rules:
        return ()
    from components.validate import rules as checking

    return checking.check(
        Validation.model_validate_json(rules).rules,
        loads(columns),
        examples=examples,
        measured=_measured(statistics),
        previous=_measured(previous) if previous else None,
    )


def _measured(folder: str) -> "dict[str, dict[str, Measured]]":
    """Return the columns of each split of a folder of statistics."""
    from components.validate import measured

    return {
        split: measured.of_statistics(stored.load(folder, split).datasets[0]) for split in SPLITS
    }


def _of_spans(
    newest: ExampleStatistics | None, before: ExampleStatistics | None
) -> list[ComparedRows]:
    """Return the comparison of two spans, whose drift stops the run."""
    if newest is None or before is None:
        return []
    names = [each.get_string_custom_property("span_name") for each in (newest, before)]
    current, reference = (MeasuredRows(each.uri, WHOLE) for each in (newest, before))
    return [ComparedRows(f"span {names[0]}", f"span {names[1]}", current, reference, "error")]


def _of_published(statistics: ExampleStatistics, published: str) -> list[ComparedRows]:
    """Return the comparison with a served model's training data, which the new model replaces."""
    if not published:
        return []
    last = json.loads(published)
    current, before = (MeasuredRows(uri, "train") for uri in (statistics.uri, last["statistics"]))
    return [ComparedRows("train", f"version {last['version']}", current, before, "warning")]


@component
def gate(
    anomalies: InputArtifact[ExampleAnomalies],
    examples: InputArtifact[Examples],
    statistics: InputArtifact[ExampleStatistics],
    validation: Parameter[str],
    plan: Parameter[str],
    allow_anomalies: Parameter[int],
    code: Parameter[str],
) -> None:
    """Stop the run where the data are not what they should be, unless a person chose to go on.

    `plan` is a `FeaturePlan` in JSON: what is about to be made of the columns.
    """
    with progress.stage("gate"):
        gatekeeping.check(
            found=Findings.read(anomalies.uri),
            findings_dir=anomalies.uri,
            counts=Counts.read(examples.uri),
            examples=examples.uri,
            validation=Validation.model_validate_json(validation),
            allow_anomalies=bool(allow_anomalies),
        )
        preflight.check(stored.load(statistics.uri, "train"), FeaturePlan.model_validate_json(plan))
