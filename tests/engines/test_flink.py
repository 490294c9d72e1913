"""A run on a real Flink cluster gives what one in this process gives, whatever dies on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.engine_errors import EngineError
from pipeline import engines
from pipeline.folders import Folders
from pipeline.run import run
from pipeline.runners import Choice
from schemas.catalog import Dataset
from schemas.errors import ConfigError
from tests.engines import artifacts, stages
from tests.engines.artifacts import require
from tests.engines.flink.cluster import FlinkCluster
from tests.engines.processes import wait_for
from tests.engines.same import require_same, require_same_transform
from tests.engines.stages import Made

pytestmark = [
    pytest.mark.engine,
    pytest.mark.slow,
    # Beam does not close the output of the job server that it starts
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]


def jobs(cluster: FlinkCluster) -> list[dict[str, Any]]:
    return sorted(cluster.ask("/jobs/overview")["jobs"], key=lambda job: job["start-time"])


def test_workers_that_flink_starts_measure_what_this_process_measures(
    direct: Made, dataset: Dataset, on_flink: Callable[..., Choice], tmp_path: Path
) -> None:
    require("go")
    on = on_flink(f"workers.process.command={artifacts.boot()}")
    engines.check(on)
    made = replace(direct, statistics=tmp_path / "statistics")
    with engines.running(on, "test"):
        stages.measure(dataset, made)
    require_same(direct, made)


def test_a_whole_run_on_workers_of_a_pool_passes_the_gates(
    direct: Made,
    dataset: Dataset,
    flink: FlinkCluster,
    on_flink: Callable[..., Choice],
    pool: str,
    tmp_path: Path,
) -> None:
    before = len(jobs(flink))
    summary = run(dataset, output=str(tmp_path), on=on_flink(f"workers.pool.address={pool}"))
    folders = Folders.of(tmp_path, dataset.spec.name)
    require_same(direct, Made.by(folders))
    assert summary.status == "pushed"
    rows = {stage.name: stage.rows for stage in summary.stages}
    assert rows["ingest"] == rows["statistics"] == rows["transform"] == 15_002
    ran = jobs(flink)[before:]
    names = [job["name"].rpartition("-")[2] for job in ran]
    assert names == ["ingest", "statistics", "transform", "evaluate"]  # one job a stage
    assert {job["state"] for job in ran} == {"FINISHED"}


def test_a_task_manager_that_dies_is_survived(
    direct: Made,
    dataset: Dataset,
    flink: FlinkCluster,
    on_flink: Callable[..., Choice],
    pool: str,
    tmp_path: Path,
) -> None:
    before = len(jobs(flink))
    made = Made.below(tmp_path)
    on = on_flink(f"workers.pool.address={pool}")
    failed: list[BaseException] = []

    def transform() -> None:
        try:
            with engines.running(on, "test"):
                stages.transform(dataset, made, direct.examples)
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failed.append(error)

    job = threading.Thread(target=transform)
    job.start()

    def half_done() -> bool:
        assert job.is_alive(), failed
        running = [one for one in jobs(flink)[before:] if one["state"] == "RUNNING"]
        # reading, and so the workers, are done with; the graph is not
        return any(one["tasks"]["finished"] > 60 for one in running)

    wait_for("half of the job", half_done, flink.task_managers, seconds=300)
    flink.kill_task_manager()
    flink.add_task_manager()
    job.join(300)
    assert not job.is_alive()
    assert not failed
    (ran,) = jobs(flink)[before:]
    assert ran["state"] == "FINISHED"
    told = flink.ask(f"/jobs/{ran['jid']}/exceptions")
    assert told["exceptionHistory"]["entries"]  # it began anew
    require_same_transform(direct, made)


def test_what_a_worker_fails_with_is_one_error_with_the_cause_first(
    direct: Made, dataset: Dataset, on_flink: Callable[..., Choice], pool: str, tmp_path: Path
) -> None:
    made = Made.below(tmp_path)
    on = on_flink(f"workers.pool.address={pool}")
    broken = stages.broken(direct.examples, tmp_path / "broken")
    with engines.running(on, "test"), pytest.raises(EngineError) as caught:
        stages.transform(dataset, made, broken)
    (first, *_) = str(caught.value).splitlines()
    assert first.startswith("transform failed on the engine: OSError: ")
    assert "java" not in str(caught.value)


def test_a_cluster_with_too_few_buffers_is_refused_before_a_job(
    on_flink: Callable[..., Choice], tmp_path: Path
) -> None:
    small = {"taskmanager.memory.network.min": "64m", "taskmanager.memory.network.max": "64m"}
    with FlinkCluster(tmp_path / "flink", settings=small) as cluster:
        on = on_flink(f"master={cluster.master}")
        with pytest.raises(ConfigError, match=r"taskmanager\.memory\.network\.min"):
            engines.check(on)
        assert not jobs(cluster)
