"""A run on a real Spark cluster gives the same results as in this process, despite failures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline import engines
from pipeline.folders import Folders
from pipeline.run import run
from schemas.catalog import Dataset
from schemas.errors import ConfigError
from tests.engines import stages
from tests.engines.processes import wait_for
from tests.engines.same import require_same, require_same_transform
from tests.engines.spark.cluster import SparkCluster
from tests.engines.stages import Made

pytestmark = pytest.mark.engine


def apps(cluster: SparkCluster) -> list[dict[str, Any]]:
    told = cluster.ask()
    return sorted(told["completedapps"] + told["activeapps"], key=lambda app: app["starttime"])


def test_a_whole_run_on_workers_of_a_pool_passes_the_gates(
    direct: Made, dataset: Dataset, spark: SparkCluster, with_pool: str, tmp_path: Path
) -> None:
    before = apps(spark)
    summary = run(dataset, output=str(tmp_path), on=spark.choose(with_pool))
    require_same(direct, Made.by(Folders.of(tmp_path, dataset.spec.name)))
    assert summary.status == "pushed"
    rows = {stage.name: stage.rows for stage in summary.stages}
    assert rows["ingest"] == rows["statistics"] == rows["transform"] == 15_002
    ran = apps(spark)[len(before) :]
    names = [app["name"].partition("_")[0].rpartition("-")[2] for app in ran]
    assert names == ["ingest", "statistics", "transform", "evaluate"]  # one job a stage
    assert {app["state"] for app in ran} == {"FINISHED"}


def test_columns_of_each_type_are_the_same_on_spark(
    typed_direct: Made, typed_dataset: Dataset, spark: SparkCluster, with_pool: str, tmp_path: Path
) -> None:
    require_same(typed_direct, stages.make(typed_dataset, spark.choose(with_pool), tmp_path))


def test_a_worker_that_dies_is_survived(
    direct: Made, dataset: Dataset, spark: SparkCluster, with_pool: str, tmp_path: Path
) -> None:
    made = Made.below(tmp_path)

    def half_done() -> bool:
        assert not job.done(), job.exception()
        return any(
            log.read_text(encoding="utf-8", errors="replace").count("Finished task") > 20
            for app in spark.ask()["activeapps"]
            for log in spark.logs(app["id"])
        )

    with (
        engines.running(spark.choose(with_pool), "test"),
        stages.in_background(stages.transform, dataset, made, direct.examples) as job,
    ):
        wait_for("half of the job", half_done, spark.workers, seconds=300)
        spark.kill_worker()
        spark.add_worker()
    ran = apps(spark)[-1]
    assert ran["state"] == "FINISHED"
    assert len(spark.logs(ran["id"])) > 1  # executors, one after the other
    require_same_transform(direct, made)


def test_a_cluster_with_too_little_memory_is_refused_before_a_job(spark: SparkCluster) -> None:
    before = apps(spark)
    with pytest.raises(ConfigError, match=r"lower spark\.executor\.memory"):
        engines.check(spark.choose("conf.spark.executor.memory=64g"))
    assert len(apps(spark)) == len(before)
