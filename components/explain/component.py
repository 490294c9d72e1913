"""The explain stage as TFX runs it."""

import os

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, ModelEvaluation, TransformGraph
from tfx.utils import path_utils

from components import files, progress
from components.explain.explain import STAGE
from components.explain.explain import explain as explain_model
from schemas import layout, tasks
from schemas.columns import loads
from schemas.explain import Explain


@component
def explain(
    examples: InputArtifact[Examples],
    transform_graph: InputArtifact[TransformGraph],
    exported: InputArtifact[Model],
    explanation: OutputArtifact[ModelEvaluation],
    columns: Parameter[str],
    label: Parameter[str],
    options: Parameter[str],
    code: Parameter[str],
) -> None:
    """Explain the exported model; `options` is the section `explain` of pipeline.yaml in JSON."""
    with progress.stage(STAGE):
        features = files.read_bytes(os.path.join(transform_graph.uri, layout.FILE_NAME))
        explain_model(
            model=path_utils.serving_model_path(exported.uri),
            examples=examples.uri,
            columns=loads(columns),
            layout=layout.Layout.model_validate_json(features),
            label=tasks.loads(label),
            options=Explain.model_validate_json(options),
            output=explanation.uri,
        )
