"""The push node: publishes a model that is both blessed and proven, and records either way."""

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components import progress
from components.push import push as publishing


@component
def push(
    exported: InputArtifact[standard_artifacts.Model],
    blessing: InputArtifact[standard_artifacts.ModelBlessing],
    proof: InputArtifact[standard_artifacts.InfraBlessing],
    pushed: OutputArtifact[standard_artifacts.PushedModel],
    serving_dir: Parameter[str],
    run_id: Parameter[str],
    code: Parameter[str],
) -> None:
    """Push if both verdicts are good; `run_id` differs in every run, so this is never cached."""
    with progress.stage("push"):
        refusals = []
        if blessing.get_int_custom_property("blessed") != 1:
            refusals.append("evaluate did not bless the model")
        if proof.get_int_custom_property("blessed") != 1:
            refusals.append("parity did not prove that serving gives what training computed")
        if refusals:
            _record(pushed, pushed=0, reason="; ".join(refusals))
            return
        model = publishing.push(path_utils.serving_model_path(exported.uri), serving_dir)
        _record(
            pushed,
            pushed=1,
            pushed_destination=model.path,
            pushed_version=str(model.version),
            new=int(model.new),
        )


def _record(artifact: standard_artifacts.PushedModel, **properties: int | str) -> None:
    """Set custom properties, named as TFX's Pusher names them, and tell them."""
    for name, value in properties.items():
        if isinstance(value, int):
            artifact.set_int_custom_property(name, value)
        else:
            artifact.set_string_custom_property(name, value)
    progress.note("push", **properties)
