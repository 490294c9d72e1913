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
from tfx.types.standard_artifacts import (
    Examples,
    ExampleStatistics,
    HyperParameters,
    TransformGraph,
)

from components import progress
from components.examples import declare_format
from components.select.selected import Selected
from components.transform.preprocessing import Preprocessing
from components.validate import stored
from components.validate.caps import FeaturePlan, caps, figures_of
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
    selection: InputArtifact[HyperParameters] = None,
    statistics: InputArtifact[ExampleStatistics] = None,
    plan: Parameter[str] = "",
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Analyze the training split and transform every split.

    `selection` is what `select` chose; without it, all features are made. With `statistics` and
    `plan`, a `FeaturePlan` in JSON, options are lowered so that embeddings fit.
    """
    with progress.stage("transform"):
        from components.transform.transform import transform as transform_examples

        preprocessing = Preprocessing.loads(features)
        if statistics is not None:
            planned = FeaturePlan.model_validate_json(plan)
            lowered = caps(planned, figures_of(stored.load(statistics.uri, "train")))
            preprocessing = preprocessing.with_options(
                {(cap.use.columns, cap.use.treatment): cap.after_use.treatment for cap in lowered}
            )
        if selection is not None:
            preprocessing = preprocessing.without(Selected.read(selection.uri).dropped)

        transform_examples(
            examples=examples.uri,
            columns=loads(columns),
            preprocessing=preprocessing,
            settings=Settings.model_validate_json(settings),
            graph=transform_graph.uri,
            transformed=transformed_examples.uri,
            options=beam_pipeline.options if beam_pipeline else None,
        )
        transformed_examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
        declare_format(transformed_examples)
