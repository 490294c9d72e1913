"""The export stage as TFX runs it."""

import os

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, TransformGraph
from tfx.utils import path_utils

from components import files, progress
from components.export.export import export as export_model
from schemas import tasks
from schemas.columns import loads
from schemas.expectations import Expectations


@component
def export(
    model: InputArtifact[Model],
    transform_graph: InputArtifact[TransformGraph],
    examples: InputArtifact[Examples],
    exported: OutputArtifact[Model],
    columns: Parameter[str],
    label: Parameter[str],
    model_name: Parameter[str],
    answers: Parameter[str],
    expectations: Parameter[str],
    code: Parameter[str],
) -> None:
    """Join model and transform graph in one SavedModel."""
    with (
        progress.stage("export"),
        files.at_hand(model.uri) as trained,
        files.at_hand(transform_graph.uri) as graph,
        files.arriving(exported.uri) as folder,
    ):
        output = path_utils.serving_model_dir(folder)
        os.makedirs(os.path.dirname(output), exist_ok=True)
        export_model(
            model_dir=trained,
            transform_graph_dir=graph,
            examples_dir=examples.uri,
            columns=loads(columns),
            label=tasks.loads(label),
            model_name=model_name,
            output=output,
            answers=tasks.loads_export(answers),
            expectations=Expectations.model_validate_json(expectations).columns,
        )
