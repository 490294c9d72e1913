"""The evaluate node: unpacks artifacts and parameters, judges, records the blessing."""

import apache_beam as beam
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components import progress
from components.evaluate import blessing as verdict
from components.evaluate import evaluate as judging
from components.evaluate.published import judging_one, newest
from schemas import tasks
from schemas.columns import loads
from schemas.evaluation import Evaluation


@component(use_beam=True)
def evaluate(
    examples: InputArtifact[standard_artifacts.Examples],
    model: InputArtifact[standard_artifacts.Model],
    evaluation: OutputArtifact[standard_artifacts.ModelEvaluation],
    blessing: OutputArtifact[standard_artifacts.ModelBlessing],
    evaluation_spec: Parameter[str],
    columns: Parameter[str],
    label: Parameter[str],
    serving_dir: Parameter[str],
    code: Parameter[str],
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Judge the exported model beside the one served so far.

    The last blessed model is the one that is served when this runs. It is not part of the cache
    key: a model is judged once, when it is made.
    """
    saved_model = path_utils.serving_model_path(model.uri)
    with progress.stage("evaluate"), judging_one(saved_model) as digest:
        report = judging.evaluate(
            model=saved_model,
            examples=examples.uri,
            columns=loads(columns),
            label=tasks.loads(label),
            evaluation=Evaluation.model_validate_json(evaluation_spec),
            last_blessed=newest(serving_dir),
            output=evaluation.uri,
            options=None if beam_pipeline is None else beam_pipeline.options,
        )
    verdict.record_metrics(report, evaluation)
    verdict.record_blessing(report, blessing, model=model, digest=digest)
