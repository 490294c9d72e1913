"""A run on a real Spark cluster gives what one in this process gives, whatever dies on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from components.engine_errors import EngineError
from pipeline import engines
from pipeline.folders import Folders
from pipeline.run import run
from pipeline.runners import Choice
from schemas.catalog import Dataset
from schemas.errors import ConfigError
from tests.engines import stages
from tests.engines.processes import wait_for
from tests.engines.same import require_same, require_same_transform
from tests.engines.spark.cluster import SparkCluster
from tests.engines.stages import Made

pytestmark = [
    pytest.mark.engine,
    pytest.mark.slow,
    # Beam does not close the output of the job server that it starts
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]


def test_a_whole_run_on_workers_of_a_pool_passes_the_gates(
    direct: Made,
    dataset: Dataset,
    spark: SparkCluster,
    on_spark: Callable[..., Choice],
    pool: str,
    tmp_path: Path,
) -> None:
    summary = run(dataset, output=str(tmp_path), on=on_spark(f"workers.pool.address={pool}"))
    folders = Folders.of(tmp_path, dataset.spec.name)
    require_same(direct, Made.by(folders))
    assert summary.status == "pushed"
    rows = {stage.name: stage.rows for stage in summary.stages}
    assert rows["ingest"] == rows["statistics"] == rows["transform"] == 15_002
    ran = sorted(spark.ask()["completedapps"], key=lambda app: app["starttime"])
    names = [app["name"].partition("_")[0].rpartition("-")[2] for app in ran]
    assert names == ["ingest", "statistics", "transform", "evaluate"]  # one job a stage
    assert {app["state"] for app in ran} == {"FINISHED"}


def test_a_worker_that_dies_is_survived(
    direct: Made,
    dataset: Dataset,
    spark: SparkCluster,
    on_spark: Callable[..., Choice],
    pool: str,
    tmp_path: Path,
) -> None:
    made = Made.below(tmp_path)
    on = on_spark(f"workers.pool.address={pool}")
    failed: list[BaseException] = []

    def transform() -> None:
        try:
            with engines.running(on, "dying"):
                stages.transform(dataset, made, direct.examples)
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failed.append(error)

    job = threading.Thread(target=transform)
    job.start()

    def half_done() -> bool:
        assert job.is_alive(), failed
        return any(
            log.read_text(encoding="utf-8", errors="replace").count("Finished task") > 20
            for app in spark.ask()["activeapps"]
            for log in spark.logs(app["id"])
        )

    wait_for("half of the job", half_done, spark.workers, seconds=300)
    spark.kill_worker()
    spark.add_worker()
    job.join(300)
    assert not job.is_alive()
    assert not failed
    (ran,) = (app for app in spark.ask()["completedapps"] if app["name"].startswith("dying"))
    assert ran["state"] == "FINISHED"
    assert len(spark.logs(ran["id"])) > 1  # executors, one after the other
    require_same_transform(direct, made)


def test_what_a_worker_fails_with_is_one_error_with_the_cause_first(
    direct: Made, dataset: Dataset, on_spark: Callable[..., Choice], pool: str, tmp_path: Path
) -> None:
    made = Made.below(tmp_path)
    on = on_spark(f"workers.pool.address={pool}")
    broken = stages.broken(direct.examples, tmp_path / "broken")
    with engines.running(on, "test"), pytest.raises(EngineError) as caught:
        stages.transform(dataset, made, broken)
    (first, *_) = str(caught.value).splitlines()
    assert first.startswith("transform failed on the engine: OSError: ")
    assert "java" not in str(caught.value)


def test_a_cluster_with_too_little_memory_is_refused_before_a_job(
    spark: SparkCluster, on_spark: Callable[..., Choice]
) -> None:
    before = spark.ask()["completedapps"]
    with pytest.raises(ConfigError, match=r"lower spark\.executor\.memory"):
        engines.check(on_spark("conf.spark.executor.memory=64g"))
    assert spark.ask()["completedapps"] == before
