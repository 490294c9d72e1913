"""The select stage as TFX runs it."""

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, ExampleStatistics, HyperParameters

from components import progress
from components.select.select import STAGE, SelectionPlan
from components.select.select import select as select_columns
from components.validate import stored
from schemas import tasks


@component
def select(
    examples: InputArtifact[Examples],
    statistics: InputArtifact[ExampleStatistics],
    selection: OutputArtifact[HyperParameters],
    plan: Parameter[str],
    label: Parameter[str],
    code: Parameter[str],
) -> None:
    """Choose the columns that features are made from; `plan` is a `SelectionPlan` in JSON."""
    with progress.stage(STAGE):
        selected = select_columns(
            examples.uri,
            stored.load(statistics.uri, "train"),
            SelectionPlan.model_validate_json(plan),
            tasks.loads(label),
        )
        selected.write(selection.uri)
