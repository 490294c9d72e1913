"""The transform stage as TFX runs it."""

import apache_beam as beam
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples, TransformGraph

from components import progress
from components.examples import declare_format
from components.transform.preprocessing import Preprocessing
from schemas.columns import loads
from schemas.examples import Examples as Settings
from schemas.splits.options import SPLITS


@component(use_beam=True)
def transform(
    examples: InputArtifact[Examples],
    transform_graph: OutputArtifact[TransformGraph],
    transformed_examples: OutputArtifact[Examples],
    columns: Parameter[str],
    features: Parameter[str],
    settings: Parameter[str],
    code: Parameter[str],
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Analyze the training split and transform every split."""
    with progress.stage("transform"):
        from components.transform.transform import transform as transform_examples

        transform_examples(
            examples=examples.uri,
            columns=loads(columns),
            preprocessing=Preprocessing.loads(features),
            settings=Settings.model_validate_json(settings),
            graph=transform_graph.uri,
            transformed=transformed_examples.uri,
            options=beam_pipeline.options if beam_pipeline else None,
        )
        transformed_examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
        declare_format(transformed_examples)
