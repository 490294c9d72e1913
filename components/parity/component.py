"""The parity stage as TFX runs it."""

import os

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, InfraBlessing, Model, TransformGraph
from tfx.utils import path_utils

from components import files, progress
from components.evaluate.published import JUDGED, judging_one
from components.parity.prove import prove
from schemas import tasks
from schemas.columns import loads

# The names that TFX's own InfraValidator writes, so that its Pusher reads our blessing too.
BLESSED = "INFRA_BLESSED"
NOT_BLESSED = "INFRA_NOT_BLESSED"


@component
def parity(
    examples: InputArtifact[Examples],
    transform_graph: InputArtifact[TransformGraph],
    trained: InputArtifact[Model],
    exported: InputArtifact[Model],
    proof: OutputArtifact[InfraBlessing],
    columns: Parameter[str],
    label: Parameter[str],
    answers: Parameter[str],
    code: Parameter[str],
) -> None:
    """Prove that the export gives what training computed; a difference is recorded, not raised.

    The proof's artifact has the digest of the SavedModel that was tested.
    """
    with (
        progress.stage("parity"),
        files.at_hand(transform_graph.uri) as graph,
        files.at_hand(trained.uri) as model,
        files.at_hand(exported.uri) as export,
        judging_one(path_utils.serving_model_dir(export)) as digest,
    ):
        result = prove(
            examples=examples.uri,
            transform_graph_dir=graph,
            trained_dir=model,
            saved_model=path_utils.serving_model_dir(export),
            columns=loads(columns),
            label=tasks.loads(label),
            answers=tasks.loads_export(answers),
            output=proof.uri,
        )
    name = BLESSED if result.proven else NOT_BLESSED
    files.write_whole(os.path.join(proof.uri, name), f"{digest}\n")
    proof.set_int_custom_property("blessed", int(result.proven))
    proof.set_string_custom_property(JUDGED, digest)
