"""The training stage as TFX runs it."""

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, TransformGraph

from components import files, progress
from components.ingest.counts import Counts
from schemas import tasks
from schemas.model import Model as ModelSpec


@component
def train(
    transformed_examples: InputArtifact[Examples],
    transform_graph: InputArtifact[TransformGraph],
    examples: InputArtifact[Examples],
    model: OutputArtifact[Model],
    label: Parameter[str],
    model_spec: Parameter[str],
    settings: Parameter[str],
    code: Parameter[str],
) -> None:
    """Train the wide & deep model and its linear baseline.

    Of the raw examples, only their counts are read: how classes were sampled.
    """
    from components.train.train import train as train_model

    counts = Counts.read(examples.uri)
    with (
        progress.stage("train"),
        files.at_hand(transformed_examples.uri) as transformed,  # every epoch reads them again
        files.arriving(model.uri) as output,
    ):
        train_model(
            examples=transformed,
            graph=transform_graph.uri,
            task=tasks.loads(label),
            model=ModelSpec.model_validate_json(model_spec),
            output=output,
            sampled={} if counts is None else counts.sampled,
        )
