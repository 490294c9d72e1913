"""Runs the DAG's nodes on this machine, one after the other, with TFX's launchers.

This does what TFX's LocalDagRunner does. In addition it seals every artifact before it is recorded
as complete, and does not use an artifact again whose seal is broken. Imports TFX and all its
dependencies, so it is imported only when a run starts.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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
from pipeline import tfx_files as tfx_files  # registers the file system
from pipeline.seals import Seals


def run_local(
    pipeline: Pipeline,
    run_id: str,
    sealing: Seals,
    check: Callable[[], None] = lambda: None,
    *,
    nodes: Collection[str] | None = None,
    again: Collection[str] = (),
) -> None:
    """Run the DAG in this process under our run id; exceptions of stages propagate unchanged.

    Args:
      pipeline: the DAG.
      run_id: of this run.
      sealing: seals the artifacts.
      check: called before each node; what it raises ends the run.
      nodes: those to run; None is all of them.
      again: those whose cache is not used.
    """
    ir = compiler.Compiler().compile(pipeline)
    runtime_parameter_utils.substitute_runtime_parameter(
        ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    )
    deployment = runner_utils.extract_local_deployment_config(ir)
    connection = deployment.metadata_connection_config
    chosen = getattr(connection, connection.WhichOneof("connection_config"))
    for node in ir.nodes:
        name = node.pipeline_node.node_info.id
        if nodes is not None and name not in nodes:
            continue
        check()
        if name in again:
            node.pipeline_node.execution_options.caching_options.enable_cache = False
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
    """Makes a TFX operator start with empty folders, and seals what a stage writes to them."""

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
    """Runs a stage that uses Beam."""


def _empty(folder: str) -> None:
    """Empty a folder; it has files if metadata.sqlite was lost and ids start again."""
    if files.names(folder):
        files.remove(folder)
        files.make_folder(folder)


@contextlib.contextmanager
def _checking_what_is_cached(node: str, sealing: Seals) -> Iterator[None]:
    """Make TFX skip cached artifacts whose seals are broken, and report that.

    TFX calls `verify_artifacts` on whatever it is about to use again, which only checks that the
    folder exists. TFX has no other hook for further checks.
    """
    original = artifact_utils.verify_artifacts
    reported: list[str] = []

    def verify(artifacts: Mapping[str, Sequence[Artifact]]) -> None:
        for artifact in (each for several in artifacts.values() for each in several):
            seal = artifact.get_string_custom_property(seals.PROPERTY)
            if why := sealing.why_broken(artifact.uri, seal):
                if not reported:  # TFX checks the latest artifacts first, then older ones
                    progress.remark(node, f"not used again: {why}")
                reported.append(why)
                raise RuntimeError(why)  # makes TFX skip these artifacts

    artifact_utils.verify_artifacts = verify
    try:
        yield
    finally:
        artifact_utils.verify_artifacts = original
