"""Runs the taxi example of the tfx package, with its components and settings, on other rows.

Run it as a program, in a separate process: `python -m benchmarks.stock_pipeline DATA ROOT RESULT`.
DATA is a folder with one CSV file, ROOT an empty folder to work in; RESULT receives the durations
of the components, as a `StockRun`.
"""

from __future__ import annotations

import os
import sys
import time
from importlib import util
from pathlib import Path
from typing import Any

from benchmarks.measure import StageTime
from schemas.strict import Strict

MODULE = "tfx.examples.chicago_taxi_pipeline.taxi_utils_native_keras"
TRAIN_STEPS = 1000
BATCH_SIZE = 40  # as in the module
IMPORTS = "imports"

# The in-process runner, as in our own runs. Both alternatives would cost stock TFX time: Beam's
# default first tries to fetch and start another runner, and with any Beam argument TFX packs an
# sdist of itself for every component, unless the workers' packages are specified.
_BEAM_ARGS = ["--runner=FnApiRunner", "--sdk_container_image=unused"]


class StockRun(Strict):
    """The result of a run of the shipped example.

    Attributes:
      stages: seconds and rows by component, the imports first.
      pushed: whether the model was blessed and pushed.
    """

    stages: tuple[StageTime, ...]
    pushed: bool


def run(data: Path, root: Path) -> StockRun:
    """Run the example; return the duration of each component."""
    began = time.monotonic()
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    pipeline = _pipeline(data, root)
    imports = StageTime(name=IMPORTS, seconds=time.monotonic() - began)
    LocalDagRunner().run(pipeline)
    return StockRun(
        stages=(imports, *_components(_metadata_path(root))),
        pushed=_serving(root).is_dir() and any(_serving(root).iterdir()),
    )


def _pipeline(data: Path, root: Path) -> Any:
    """Return the DAG of taxi_pipeline_native_keras.py, whose import needs folders in HOME."""
    from tfx import components
    from tfx.dsl.components.common.resolver import Resolver
    from tfx.dsl.input_resolution.strategies import latest_blessed_model_strategy as blessed
    from tfx.orchestration import metadata
    from tfx.orchestration.pipeline import Pipeline
    from tfx.proto import trainer_pb2
    from tfx.types import Channel
    from tfx.types.standard_artifacts import Model, ModelBlessing

    module_spec = util.find_spec(MODULE)
    assert module_spec is not None  # ships with tfx
    module_file = module_spec.origin
    example_gen = components.CsvExampleGen(input_base=str(data))
    examples = example_gen.outputs["examples"]
    statistics_gen = components.StatisticsGen(examples=examples)
    statistics = statistics_gen.outputs["statistics"]
    schema_gen = components.SchemaGen(statistics=statistics, infer_feature_shape=True)
    schema = schema_gen.outputs["schema"]
    example_validator = components.ExampleValidator(statistics=statistics, schema=schema)
    transform = components.Transform(examples=examples, schema=schema, module_file=module_file)
    trainer = components.Trainer(
        module_file=module_file,
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema,
        train_args=trainer_pb2.TrainArgs(num_steps=TRAIN_STEPS),
        eval_args=trainer_pb2.EvalArgs(num_steps=150),
    )
    resolver = Resolver(
        strategy_class=blessed.LatestBlessedModelStrategy,
        model=Channel(type=Model),
        model_blessing=Channel(type=ModelBlessing),
    ).with_id("latest_blessed_model_resolver")
    evaluator = components.Evaluator(
        examples=examples,
        model=trainer.outputs["model"],
        baseline_model=resolver.outputs["model"],
        eval_config=_eval_config(),
    )
    pusher = components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=_destination(root),
    )
    return Pipeline(
        pipeline_name="chicago_taxi_native_keras",
        pipeline_root=str(root / "pipeline"),
        components=[
            example_gen,
            statistics_gen,
            schema_gen,
            example_validator,
            transform,
            trainer,
            resolver,
            evaluator,
            pusher,
        ],
        metadata_connection_config=metadata.sqlite_metadata_connection_config(
            str(_metadata_path(root))
        ),
        beam_pipeline_args=_BEAM_ARGS,
    )


def _eval_config() -> Any:
    import tensorflow_model_analysis as tfma

    threshold = tfma.MetricThreshold(
        value_threshold=tfma.GenericValueThreshold(lower_bound={"value": 0.6}),
        change_threshold=tfma.GenericChangeThreshold(
            direction=tfma.MetricDirection.HIGHER_IS_BETTER, absolute={"value": -1e-10}
        ),
    )
    accuracy = tfma.MetricConfig(class_name="BinaryAccuracy", threshold=threshold)
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                signature_name="serving_default",
                label_key="tips_xf",
                preprocessing_function_names=["transform_features"],
            )
        ],
        slicing_specs=[tfma.SlicingSpec()],
        metrics_specs=[tfma.MetricsSpec(metrics=[accuracy])],
    )


def _destination(root: Path) -> Any:
    from tfx.proto.pusher_pb2 import PushDestination

    return PushDestination(
        filesystem=PushDestination.Filesystem(base_directory=str(_serving(root)))
    )


def _components(metadata: Path) -> list[StageTime]:
    """Return what ML Metadata recorded, in the order of the components."""
    from ml_metadata import MetadataStore
    from tfx.orchestration.metadata import sqlite_metadata_connection_config

    store = MetadataStore(sqlite_metadata_connection_config(str(metadata)))
    executions = sorted(store.get_executions(), key=lambda e: e.create_time_since_epoch)
    rows = _rows(store)
    return [
        StageTime(
            name=(name := execution.type.rpartition(".")[2]),
            seconds=(execution.last_update_time_since_epoch - execution.create_time_since_epoch)
            / 1000,
            rows=rows.get(name, 0),
        )
        for execution in executions
    ]


def _rows(store: Any) -> dict[str, int]:
    """Return the number of rows for each component that reads a whole split."""
    from tensorflow_metadata.proto.v0 import statistics_pb2

    (artifact,) = store.get_artifacts_by_type("ExampleStatistics")[:1]
    counts = {}
    for split in ("train", "eval"):
        stats = statistics_pb2.DatasetFeatureStatisticsList()
        stats.ParseFromString(Path(artifact.uri, f"Split-{split}", "FeatureStats.pb").read_bytes())
        counts[split] = int(stats.datasets[0].num_examples)
    everything = sum(counts.values())
    return {
        "CsvExampleGen": everything,
        "StatisticsGen": everything,
        "Transform": everything,
        "Trainer": TRAIN_STEPS * BATCH_SIZE,
        "Evaluator": counts["eval"],
    }


def _metadata_path(root: Path) -> Path:
    return root / "metadata.sqlite"


def _serving(root: Path) -> Path:
    return root / "serving"


def main() -> None:
    """Run the example with the paths in the command line."""
    data, root, result = map(Path, sys.argv[1:])
    result.write_text(run(data, root).model_dump_json(indent=1), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)  # like our own command: unloading modules takes seconds


if __name__ == "__main__":
    main()
