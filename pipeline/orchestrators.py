"""Where the DAG's nodes are run: on this machine, one after the other, by TFX's launchers.

What TFX's LocalDagRunner does, and besides: every artifact is sealed before it is recorded as
complete, and one whose seal is broken is not used again. Imported when a run starts: TFX and all it
needs comes with it.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tfx.dsl.compiler import compiler, constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import runtime_parameter_utils
from tfx.orchestration.portable.beam_executor_operator import BeamExecutorOperator
from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.orchestration.portable.launcher import Launcher
from tfx.orchestration.portable.python_executor_operator import PythonExecutorOperator
from tfx.proto.orchestration.executable_spec_pb2 import (
    BeamExecutableSpec,
    PythonClassExecutableSpec,
)
from tfx.proto.orchestration.execution_result_pb2 import ExecutorOutput
from tfx.types import Artifact, artifact_utils

from components import files, progress
from pipeline import seals
from pipeline import tfx_files as tfx_files  # for what it registers
from pipeline.seals import Seals


def run_local(pipeline: Pipeline, run_id: str, sealing: Seals) -> None:
    """Run the DAG in this process under our own run id; what a stage raises comes out as it is."""
    ir = compiler.Compiler().compile(pipeline)
    runtime_parameter_utils.substitute_runtime_parameter(
        ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    )
    deployment = runner_utils.extract_local_deployment_config(ir)
    connection = deployment.metadata_connection_config
    chosen = getattr(connection, connection.WhichOneof("connection_config"))
    for node in ir.nodes:
        name = node.pipeline_node.node_info.id
        with _checking_what_is_cached(name, sealing):
            Launcher(
                pipeline_node=node.pipeline_node,
                mlmd_connection=metadata.Metadata(chosen),
                pipeline_info=ir.pipeline_info,
                pipeline_runtime_spec=ir.runtime_spec,
                executor_spec=runner_utils.extract_executor_spec(deployment, name),
                custom_executor_operators={
                    PythonClassExecutableSpec: functools.partial(_Python, sealing),
                    BeamExecutableSpec: functools.partial(_Beam, sealing),
                },
            ).launch()


class _Sealing:
    """Has an operator of TFX's start with empty folders and seal what a stage put into them."""

    def __init__(self, sealing: Seals, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sealing = sealing

    def run_executor(self, execution_info: ExecutionInfo) -> ExecutorOutput:
        """Run the stage."""
        for artifacts in execution_info.output_dict.values():
            for artifact in artifacts:
                _empty(artifact.uri)
        output: ExecutorOutput = super().run_executor(execution_info)  # type: ignore[misc]
        for artifacts in output.output_artifacts.values():
            for artifact in artifacts.artifacts:
                seal = self._sealing.seal(artifact.uri)
                artifact.custom_properties[seals.PROPERTY].string_value = seal
        return output


class _Python(_Sealing, PythonExecutorOperator):
    """Runs a stage."""


class _Beam(_Sealing, BeamExecutorOperator):
    """Runs a stage that Beam works for."""


def _empty(folder: str) -> None:
    """Empty a folder; something lies there where metadata.sqlite was lost and begins anew."""
    if files.names(folder):
        files.remove(folder)
        files.make_folder(folder)


@contextlib.contextmanager
def _checking_what_is_cached(node: str, sealing: Seals) -> Iterator[None]:
    """Have TFX pass over artifacts in its cache whose seals are broken, and say so.

    TFX asks `verify_artifacts` of whatever it is about to use again, which only looks whether the
    folder is there; it offers no other place to look further.
    """
    original = artifact_utils.verify_artifacts
    told: list[str] = []

    def verify(artifacts: Mapping[str, Sequence[Artifact]]) -> None:
        for artifact in (each for several in artifacts.values() for each in several):
            seal = artifact.get_string_custom_property(seals.PROPERTY)
            if why := sealing.why_broken(artifact.uri, seal):
                if not told:  # TFX asks of the latest first, and of older ones after that
                    progress.remark(node, f"not used again: {why}")
                told.append(why)
                raise RuntimeError(why)  # by which TFX knows that it cannot be used

    artifact_utils.verify_artifacts = verify
    try:
        yield
    finally:
        artifact_utils.verify_artifacts = original
