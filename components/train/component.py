"""The training stage as TFX runs it."""

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, TransformGraph

from components import files, progress
from schemas import tasks
from schemas.model import Model as ModelSpec


@component
def train(
    transformed_examples: InputArtifact[Examples],
    transform_graph: InputArtifact[TransformGraph],
    model: OutputArtifact[Model],
    label: Parameter[str],
    model_spec: Parameter[str],
    settings: Parameter[str],
    code: Parameter[str],
) -> None:
    """Train the wide & deep model and its linear baseline."""
    from components.train.train import train as train_model

    with (
        progress.stage("train"),
        files.at_hand(transformed_examples.uri) as examples,  # every epoch reads them again
        files.arriving(model.uri) as output,
    ):
        train_model(
            examples=examples,
            graph=transform_graph.uri,
            task=tasks.loads(label),
            model=ModelSpec.model_validate_json(model_spec),
            output=output,
        )
