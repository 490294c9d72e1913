"""A run on a real Flink cluster gives what one in this process gives, whatever fails on the way."""

from __future__ import annotations

import contextvars
import logging
import resource
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow.parquet as pq
import pytest

from components import progress, runner, versions
from components.engine_errors import EngineError
from components.ingest import rejects
from pipeline import engines, runners
from pipeline.folders import Folders
from pipeline.run import run
from pipeline.runners import Choice
from schemas.catalog import Dataset
from schemas.errors import ConfigError
from schemas.runners import Runner
from tests.engines import artifacts, stages
from tests.engines.flink.cluster import FlinkCluster
from tests.engines.processes import Server, wait_for
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
    on = on_flink(f"workers.process.command={artifacts.boot()}")
    engines.check(on)
    made = replace(direct, statistics=tmp_path / "statistics")
    with engines.running(on, "test"):
        stages.measure(dataset, made)
    require_same(direct, made)


def test_a_run_that_met_a_full_disk_goes_on_from_there_and_passes_the_gates(
    direct: Made,
    dataset: Dataset,
    flink: FlinkCluster,
    flink_pool: Choice,
    pool_server: Server,
    tmp_path: Path,
) -> None:
    before = len(jobs(flink))
    with (
        AtStart("transform", lambda: limit_files(pool_server, 20_000)),
        pytest.raises(EngineError, match=r"^transform failed .*: a disk is full"),
    ):
        run(dataset, output=str(tmp_path), on=flink_pool)
    limit_files(pool_server, resource.RLIM_INFINITY)
    summary = run(dataset, output=str(tmp_path), on=flink_pool)
    folders = Folders.of(tmp_path, dataset.spec.name)
    require_same(direct, Made.by(folders))
    assert summary.status == "pushed"
    told = {stage.name: stage for stage in summary.stages}
    assert told["ingest"].state == told["statistics"].state == "cached"
    assert told["transform"].rows == 15_002
    ran = jobs(flink)[before:]
    names = [job["name"].rpartition("-")[2] for job in ran]  # one job a stage
    assert names == ["ingest", "statistics", "transform", "transform", "evaluate"]
    assert [job["state"] for job in ran].count("FAILED") == 1


class AtStart(logging.Handler):
    """Do something when a stage begins, as a context manager."""

    def __init__(self, stage: str, do: Callable[[], None]) -> None:
        super().__init__()
        self._stage, self._do = stage, do

    def emit(self, record: logging.LogRecord) -> None:
        event: progress.Event = record.event  # type: ignore[attr-defined]
        if (event.stage, event.kind) == (self._stage, "start"):
            self._do()

    def __enter__(self) -> None:
        progress.LOGGER.addHandler(self)

    def __exit__(self, *_: object) -> None:
        progress.LOGGER.removeHandler(self)


def limit_files(pool: Server, size: int) -> None:
    """Let workers that start from now on write no file beyond a size: to them, the disk is full."""
    for process in pool.children:
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))


def test_bad_rows_are_kept_with_their_reasons(
    dataset: Dataset, flink_pool: Choice, tmp_path: Path
) -> None:
    header, *rows = Path(dataset.source_path).read_bytes().splitlines(keepends=True)[:500]
    bad = [rows[0].replace(b",5,", b",May,", 1), b"one,two\n", b'"' + rows[1]]
    source = tmp_path / "trips.csv"
    source.write_bytes(b"".join([header, *rows[:250], *bad, *rows[250:]]))
    spec = dataset.spec.model_copy(
        update={"source": dataset.spec.source.model_copy(update={"path": str(source)})}
    )
    dataset = replace(dataset, spec=spec)
    kept = []
    for on in (runners.choose(Runner()), flink_pool):
        made = Made.below(tmp_path / on.name)
        with engines.running(on, "test"):
            stages.ingest(dataset, made)
        kept.append(pq.read_table(made.examples / rejects.FOLDER))
    here, there = kept
    assert here.num_rows == len(bad)
    assert here.equals(there)


def test_a_worker_that_dies_is_replaced(
    flink: FlinkCluster, flink_pool: Choice, tmp_path: Path
) -> None:
    folder = str(tmp_path)

    def die_or_leave(element: int) -> None:  # travels by value: workers know no tests
        import os
        import signal
        from pathlib import Path

        try:
            Path(folder, "died").touch(exist_ok=False)
        except FileExistsError:
            Path(folder, str(element)).touch()
        else:
            os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out

    with engines.running(flink_pool, "test"), runner.opened("dying") as pipeline:
        _ = pipeline | beam.Create([1, 2, 3]) | beam.Map(die_or_leave)
    assert {path.name for path in tmp_path.iterdir()} == {"died", "1", "2", "3"}
    assert began_anew(flink, jobs(flink)[-1])


def test_a_task_manager_that_dies_is_survived(
    direct: Made, dataset: Dataset, flink: FlinkCluster, flink_pool: Choice, tmp_path: Path
) -> None:
    made = Made.below(tmp_path)
    before = len(jobs(flink))
    with engines.running(flink_pool, "test"):
        job = Job(flink, lambda: stages.transform(dataset, made, direct.examples))
        job.wait_until_half_done()
        flink.kill_task_manager()
        flink.add_task_manager()
        job.join()
    (ran,) = jobs(flink)[before:]
    assert began_anew(flink, ran)
    require_same_transform(direct, made)


def began_anew(cluster: FlinkCluster, job: dict[str, Any]) -> bool:
    """Return whether a job had to, and went through in the end."""
    told = cluster.ask(f"/jobs/{job['jid']}/exceptions")
    return job["state"] == "FINISHED" and bool(told["exceptionHistory"]["entries"])


class Job:
    """A stage that runs on a cluster while the test does something else."""

    def __init__(self, cluster: FlinkCluster, stage: Callable[[], None]) -> None:
        self._cluster = cluster
        self._before = len(jobs(cluster))
        self._errors: list[BaseException] = []
        context = contextvars.copy_context()  # says where the stage runs
        self._thread = threading.Thread(target=context.run, args=(self._run, stage))
        self._thread.start()

    def _run(self, stage: Callable[[], None]) -> None:
        try:
            stage()
        except BaseException as error:  # noqa: BLE001 - raised again by the test's own thread
            self._errors.append(error)

    def wait_until_half_done(self) -> None:
        """Return when reading, and so the first workers, are done with, and the rest is not."""
        wait_for("half of the job", self._is_half_done, self._cluster.task_managers, seconds=300)

    def _is_half_done(self) -> bool:
        assert self._thread.is_alive(), self._errors
        return any(
            job["state"] == "RUNNING" and job["tasks"]["finished"] > job["tasks"]["total"] / 3
            for job in jobs(self._cluster)[self._before :]
        )

    def join(self) -> None:
        """Wait for the stage's end; raise what it failed with."""
        self._thread.join(300)
        assert not self._thread.is_alive()
        for error in self._errors:
            raise error


def test_what_a_worker_fails_with_is_one_error_with_the_cause_first(
    direct: Made, dataset: Dataset, flink_pool: Choice, tmp_path: Path
) -> None:
    made = replace(Made.below(tmp_path), examples=stages.broken(direct.examples, tmp_path / "bad"))
    with engines.running(flink_pool, "test"), pytest.raises(EngineError) as caught:
        stages.measure(dataset, made)
    (first, *_) = str(caught.value).splitlines()
    assert first.startswith("statistics failed on the engine: OSError: ")
    assert "java" not in str(caught.value)


def test_workers_of_another_version_are_refused(
    direct: Made,
    dataset: Dataset,
    flink_pool: Choice,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(versions, "dumps", lambda: '{"apache-beam": "2.1.0"}')
    made = replace(direct, statistics=tmp_path / "statistics")
    with engines.running(flink_pool, "test"), pytest.raises(EngineError) as caught:
        stages.measure(dataset, made)
    has = versions.installed()["apache-beam"]
    assert caught.value.what == (
        f"statistics failed on the engine: {versions.REFUSED} (apache-beam is {has}, not 2.1.0)"
    )


def test_a_cluster_with_too_few_buffers_is_refused_before_a_job(
    on_flink: Callable[..., Choice], tmp_path: Path
) -> None:
    small = {"taskmanager.memory.network.min": "64m", "taskmanager.memory.network.max": "64m"}
    with FlinkCluster(tmp_path / "flink", settings=small) as cluster:
        on = on_flink(f"master={cluster.master}")
        with pytest.raises(ConfigError, match=r"taskmanager\.memory\.network\.min"):
            engines.check(on)
        assert not jobs(cluster)
