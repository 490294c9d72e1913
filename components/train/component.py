"""The training stage as TFX runs it."""

import hashlib
import os

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, TransformGraph

from components import content, files, progress
from components.ingest.counts import Counts
from schemas import layout as layouts
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

    Of the raw examples, only their counts are read: how classes were sampled. Checkpoints are
    beside the stage's outputs, and are removed when it ends.
    """
    from components.train.checkpoints import CheckpointFile
    from components.train.launch import is_cluster, job_file, launch, lead, process_count
    from components.train.work import TrainingJob, work

    counts = Counts.read(examples.uri)
    checkpoints = os.path.join(os.path.dirname(os.path.dirname(model.uri)), "checkpoints")
    with (
        progress.stage("train"),
        files.at_hand(transformed_examples.uri) as transformed,  # every epoch reads them again
        files.arriving(model.uri) as output,
    ):
        digest = _digest(
            transformed,
            os.path.join(transform_graph.uri, layouts.FILE_NAME),
            *(label, model_spec, code, "" if counts is None else counts.model_dump_json()),
        )
        job = TrainingJob(
            examples=transformed,
            graph=transform_graph.uri,
            task=label,
            model=ModelSpec.model_validate_json(model_spec),
            output=output,
            sampled={} if counts is None else dict(counts.sampled),
            checkpoint=CheckpointFile.of(checkpoints, digest).path,
        )
        if is_cluster(os.environ):
            # the other machines read the examples from where all can
            everywhere = job.model_copy(update={"examples": transformed_examples.uri})
            lead(everywhere, job_file(os.path.dirname(checkpoints)), os.environ)
        elif (count := process_count(job.model.workers)) > 1:
            launch(job, count)
        else:
            work(job, None)
    files.remove(checkpoints)


def _digest(examples: str, layout: str, *options: str) -> str:
    """Return a digest of all that a training depends on."""
    parts = {str(i): option for i, option in enumerate(options)}
    parts["layout"] = files.read_text(layout)
    digests = {name: hashlib.sha256(part.encode()).hexdigest() for name, part in parts.items()}
    return content.combined([*digests.items(), ("examples", content.of_folder(examples))])
