"""A DAG of two cheap nodes, to test how TFX and ML Metadata treat runs."""

import os
import signal

from components import lean_imports

lean_imports.load(lean_imports.TENSORFLOW, lean_imports.BEAM, lean_imports.TFX)  # as a run does

from tfx.dsl.component.experimental.annotations import (  # noqa: E402
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component  # noqa: E402
from tfx.orchestration import metadata  # noqa: E402
from tfx.orchestration.pipeline import Pipeline  # noqa: E402
from tfx.types.standard_artifacts import Examples, Model  # noqa: E402

from components import progress  # noqa: E402
from pipeline import digest_cache, orchestrators  # noqa: E402
from pipeline.seals import Seals  # noqa: E402


def kill(*_args, **_options):
    """Kill this process."""
    os.kill(os.getpid(), signal.SIGKILL)


@component
def first(examples: OutputArtifact[Examples], text: Parameter[str]) -> None:
    """Write a file."""
    with progress.stage("first"):
        with open(os.path.join(examples.uri, "text"), "w", encoding="utf-8") as file:
            file.write(text)
        examples.set_int_custom_property("length", len(text))


@component
def second(
    examples: InputArtifact[Examples], model: OutputArtifact[Model], mode: Parameter[str]
) -> None:
    """Succeed, raise, stop like Ctrl-C or be killed, each with a half-written file."""
    with progress.stage("second"):
        with open(os.path.join(model.uri, "half"), "w", encoding="utf-8") as file:
            file.write(examples.uri)
        if mode == "raise":
            raise KeyError("a fault")
        if mode == "interrupt":
            raise KeyboardInterrupt
        if mode == "kill":
            kill()


def build(folders, *, text="hello", mode="well"):
    """Wire the two nodes."""
    one = first(text=text)
    two = second(examples=one.outputs["examples"], mode=mode)
    return Pipeline(
        pipeline_name="tiny",
        pipeline_root=str(folders.artifacts),
        components=[one, two],
        enable_cache=True,
        metadata_connection_config=metadata.sqlite_metadata_connection_config(
            str(folders.metadata)
        ),
    )


def run(folders, run_id, **options):
    """Build the two nodes and run them, as a run does."""
    with digest_cache.opened(folders.digests) as known:
        seals = Seals(str(folders.artifacts), known)
        orchestrators.run_local(build(folders, **options), run_id, seals)
