"""The push node: publishes a model that is both blessed and proven, and records either way."""

import json
from datetime import datetime, timezone

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components import progress
from components.evaluate.published import JUDGED
from components.push import push as publishing
from components.push.card import card
from components.push.describe import Artifacts, describe
from components.transform.preprocessing import Preprocessing
from schemas import tasks
from schemas.columns import loads
from schemas.description import CARD_NAME, FILE_NAME
from schemas.expectations import Expectations


@component
def push(
    exported: InputArtifact[standard_artifacts.Model],
    blessing: InputArtifact[standard_artifacts.ModelBlessing],
    proof: InputArtifact[standard_artifacts.InfraBlessing],
    evaluation: InputArtifact[standard_artifacts.ModelEvaluation],
    trained: InputArtifact[standard_artifacts.Model],
    transform_graph: InputArtifact[standard_artifacts.TransformGraph],
    examples: InputArtifact[standard_artifacts.Examples],
    pushed: OutputArtifact[standard_artifacts.PushedModel],
    model_name: Parameter[str],
    features: Parameter[str],
    answers: Parameter[str],
    columns: Parameter[str],
    expectations: Parameter[str],
    digests: Parameter[str],
    serving_dir: Parameter[str],
    run_id: Parameter[str],
    code: Parameter[str],
) -> None:
    """Push if both verdicts are good, and about the very bytes that were exported.

    `run_id` differs in every run, so this is never cached.
    """
    with progress.stage("push"):
        refusals = []
        if blessing.get_int_custom_property("blessed") != 1:
            refusals.append("evaluate did not bless the model")
        if proof.get_int_custom_property("blessed") != 1:
            refusals.append("parity did not prove that serving gives what training computed")
        if refusals:
            _record(pushed, pushed=0, reason="; ".join(refusals))
            return
        verdicts = {
            "blessing": blessing.get_string_custom_property(JUDGED),
            "proof": proof.get_string_custom_property(JUDGED),
        }
        saved_model = path_utils.serving_model_path(exported.uri)

        def beside() -> dict[str, str]:
            described = describe(
                Artifacts(
                    examples=examples.uri,
                    transform_graph=transform_graph.uri,
                    trained=trained.uri,
                    evaluation=evaluation.uri,
                    proof=proof.uri,
                ),
                name=model_name,
                preprocessing=Preprocessing.loads(features),
                answers=tasks.loads_export(answers),
                columns=loads(columns),
                expectations=Expectations.model_validate_json(expectations).columns,
                digests={**json.loads(digests), "saved_model": verdicts["proof"]},
                pushed_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            )
            return {
                FILE_NAME: described.model_dump_json(indent=1) + "\n",
                CARD_NAME: card(described),
            }

        model = publishing.push(saved_model, serving_dir, beside, verdicts)
        _record(
            pushed,
            pushed=1,
            pushed_destination=model.path,
            pushed_version=str(model.version),
            new=int(model.new),
        )


def _record(artifact: standard_artifacts.PushedModel, **properties: int | str) -> None:
    """Set custom properties, named as TFX's Pusher names them, and report them."""
    for name, value in properties.items():
        if isinstance(value, int):
            artifact.set_int_custom_property(name, value)
        else:
            artifact.set_string_custom_property(name, value)
    progress.note("push", **properties)
