"""Where the DAG's nodes are run: on this machine, one after the other, by TFX's LocalDagRunner.

Imported when a run starts: TFX and all it needs comes with it.
"""

from __future__ import annotations

from tfx.dsl.compiler import compiler, constants
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import runtime_parameter_utils

from pipeline import tfx_files as tfx_files  # for what it registers


def run_local(pipeline: Pipeline, run_id: str) -> None:
    """Run the DAG in this process under our own run id; what a stage raises comes out as it is."""
    ir = compiler.Compiler().compile(pipeline)
    # LocalDagRunner gives every run the time as its id; one that is already there it leaves alone.
    runtime_parameter_utils.substitute_runtime_parameter(
        ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    )
    LocalDagRunner().run_with_ir(ir)
