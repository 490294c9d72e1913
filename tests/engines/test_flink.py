"""A run on a real Flink cluster gives the same results as in this process, despite failures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline import engines
from pipeline.folders import Folders
from pipeline.run import run
from schemas.catalog import Dataset
from schemas.errors import ConfigError
from tests.engines import artifacts, stages
from tests.engines.flink.cluster import FlinkCluster
from tests.engines.processes import wait_for
from tests.engines.same import require_same, require_same_transform
from tests.engines.stages import Made

pytestmark = pytest.mark.engine


def jobs(cluster: FlinkCluster) -> list[dict[str, Any]]:
    return sorted(cluster.ask("/jobs/overview")["jobs"], key=lambda job: job["start-time"])


def test_workers_that_flink_starts_measure_what_this_process_measures(
    direct: Made, dataset: Dataset, flink: FlinkCluster, tmp_path: Path
) -> None:
    on = flink.choose(f"workers.process.command={artifacts.boot()}")
    engines.check(on)
    made = replace(direct, statistics=tmp_path / "statistics")
    with engines.running(on, "test"):
        stages.measure(dataset, made)
    require_same(direct, made)


def test_a_whole_run_on_workers_of_a_pool_passes_the_gates(
    direct: Made, dataset: Dataset, flink: FlinkCluster, with_pool: str, tmp_path: Path
) -> None:
    before = len(jobs(flink))
    summary = run(dataset, output=str(tmp_path), on=flink.choose(with_pool))
    require_same(direct, Made.by(Folders.of(tmp_path, dataset.spec.name)))
    assert summary.status == "pushed"
    rows = {stage.name: stage.rows for stage in summary.stages}
    assert rows["ingest"] == rows["statistics"] == rows["transform"] == 15_002
    ran = jobs(flink)[before:]
    names = [job["name"].rpartition("-")[2] for job in ran]
    assert names == ["ingest", "statistics", "transform", "evaluate"]  # one job a stage
    assert {job["state"] for job in ran} == {"FINISHED"}


def test_columns_of_each_type_are_the_same_on_flink(
    typed_direct: Made, typed_dataset: Dataset, flink: FlinkCluster, with_pool: str, tmp_path: Path
) -> None:
    summary = run(typed_dataset, output=str(tmp_path), on=flink.choose(with_pool))
    require_same(typed_direct, Made.by(Folders.of(tmp_path, typed_dataset.spec.name)))
    assert summary.status == "pushed"


def test_a_task_manager_that_dies_is_survived(
    direct: Made, dataset: Dataset, flink: FlinkCluster, with_pool: str, tmp_path: Path
) -> None:
    made = Made.below(tmp_path)
    before = len(jobs(flink))

    def half_done() -> bool:
        """Whether reading, and so the first workers, is finished, but the rest is not."""
        assert not job.done(), job.exception()
        return any(
            one["state"] == "RUNNING" and one["tasks"]["finished"] > one["tasks"]["total"] / 3
            for one in jobs(flink)[before:]
        )

    with (
        engines.running(flink.choose(with_pool), "test"),
        stages.in_background(stages.transform, dataset, made, direct.examples) as job,
    ):
        wait_for("half of the job", half_done, flink.task_managers, seconds=300)
        flink.kill_task_manager()
        flink.add_task_manager()
    (ran,) = jobs(flink)[before:]
    told = flink.ask(f"/jobs/{ran['jid']}/exceptions")
    assert ran["state"] == "FINISHED"
    assert told["exceptionHistory"]["entries"]  # it had to restart
    require_same_transform(direct, made)


def test_a_cluster_with_too_few_buffers_is_refused_before_a_job(tmp_path: Path) -> None:
    artifacts.require("java", "mvn")
    small = {"taskmanager.memory.network.min": "64m", "taskmanager.memory.network.max": "64m"}
    with FlinkCluster(tmp_path / "flink", settings=small) as cluster:
        with pytest.raises(ConfigError, match=r"taskmanager\.memory\.network\.min"):
            engines.check(cluster.choose())
        assert not jobs(cluster)
