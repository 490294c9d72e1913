"""The calibrate stage as TFX runs it."""

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model

from components import files, progress
from schemas import tasks
from schemas.calibration import Calibration


@component
def calibrate(
    transformed_examples: InputArtifact[Examples],
    trained: InputArtifact[Model],
    model: OutputArtifact[Model],
    label: Parameter[str],
    calibration: Parameter[str],
    answers: Parameter[str],
    code: Parameter[str],
) -> None:
    """Fit what calibrates the answers of a trained model, which is not changed itself."""
    from components.calibrate.calibrate import calibrate as calibrate_model

    with (
        progress.stage("calibrate"),
        files.at_hand(trained.uri) as folder,
        files.arriving(model.uri) as output,
    ):
        calibrate_model(
            examples=transformed_examples.uri,
            trained=folder,
            task=tasks.loads(label),
            calibration=Calibration.model_validate_json(calibration),
            output=output,
            coverage=tasks.loads_export(answers).covered_share,
        )
