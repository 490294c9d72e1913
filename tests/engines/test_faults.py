"""Problems with rows, disks and workers are reported in the same way on every engine.

There is one readable error that begins with the cause; then a run continues from the last good
stage.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import apache_beam as beam
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components import runner, sealed, versions
from components.engine_errors import EngineError
from components.ingest import rejects
from pipeline import engines, runners
from pipeline.folders import Folders
from pipeline.run import run
from pipeline.runners import Choice
from schemas.catalog import Dataset
from schemas.runners import Runner
from tests.at_start import at_start
from tests.engines import artifacts, stages
from tests.engines.artifacts import require
from tests.engines.flink.cluster import FlinkCluster
from tests.engines.processes import Server, wait_for
from tests.engines.stages import Made

pytestmark = pytest.mark.engine


# The response of workers with another version of Beam than the command.
REFUSED = f"{versions.REFUSED} (apache-beam is {sealed.INSTALLED['apache-beam']}, not 2.1.0)"


@pytest.fixture(scope="module", params=["flink", "spark", "prism"])
def on_engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Choice]]:
    """Choose each engine, with further settings KEY=VALUE; it retries failures only once."""
    if request.param == "flink":
        require("java", "mvn")
        once = {"restart-strategy.fixed-delay.attempts": "1"}
        with FlinkCluster(tmp_path_factory.mktemp("once") / "flink", settings=once) as cluster:
            yield cluster.choose
    elif request.param == "spark":
        cluster = request.getfixturevalue("spark")
        yield functools.partial(cluster.choose, "conf.spark.task.maxFailures=2")
    else:
        yield request.getfixturevalue("on_prism")


@pytest.fixture(scope="module")
def engine(on_engine: Callable[..., Choice], with_pool: str) -> Choice:
    """Each engine with workers of the pool."""
    return on_engine(with_pool)


@pytest.fixture(scope="module")
def few(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Some of the taxi data's rows, and three bad ones among them."""
    header, *rows = Path(dataset.source_patterns[0]).read_bytes().splitlines(keepends=True)[:500]
    bad = [rows[0].replace(b",5,", b",May,", 1), b"one,two\n", b'"' + rows[1]]
    path = tmp_path_factory.mktemp("few") / "trips.csv"
    path.write_bytes(b"".join([header, *rows[:250], *bad, *rows[250:]]))
    source = dataset.spec.source.model_copy(update={"path": str(path)})
    return replace(dataset, spec=dataset.spec.model_copy(update={"source": source}))


@pytest.fixture(scope="module")
def rejected(few: Dataset, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """The rows that this process rejects."""
    made = Made.below(tmp_path_factory.mktemp("here"))
    with engines.running(runners.choose(Runner()), "test"):
        stages.ingest(few, made)
    return pq.read_table(made.examples / rejects.FOLDER)


def test_bad_rows_and_a_full_disk_and_a_rerun_from_there(
    few: Dataset, rejected: pa.Table, engine: Choice, pool_server: Server, tmp_path: Path
) -> None:
    def fail_at(stage: str, fault: AbstractContextManager[None], said: str) -> dict[str, str]:
        with (
            contextlib.ExitStack() as stack,
            at_start(stage, lambda: stack.enter_context(fault)),
            pytest.raises(EngineError) as caught,
        ):
            run(few, output=str(tmp_path), allow_anomalies=True, on=engine)
        assert caught.value.what.startswith(f"{stage} failed on the engine: {said}")
        return stages.states(folders)

    folders = Folders.of(tmp_path, few.spec.name)
    found = fail_at("statistics", full_disk(pool_server), "a disk is full")
    assert (found["ingest"], found["statistics"]) == ("done", "failed")
    (examples,) = Path(folders.artifacts, "ingest/examples").iterdir()
    kept = pq.read_table(examples / rejects.FOLDER)
    assert kept.num_rows == 3
    assert kept.equals(rejected)

    found = fail_at("transform", other_versions(), REFUSED)
    assert (found["ingest"], found["statistics"]) == ("cached", "done")


@contextlib.contextmanager
def full_disk(pool: Server) -> Iterator[None]:
    """Let workers that start in the block write no file, as if the disk were full."""
    _limit_files(pool, 1_000)
    try:
        yield
    finally:
        _limit_files(pool, resource.RLIM_INFINITY)


def _limit_files(pool: Server, size: int) -> None:
    for process in pool.children:
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))


@contextlib.contextmanager
def other_versions() -> Iterator[None]:
    """Give the command another version of Beam than its workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "INSTALLED", {**sealed.INSTALLED, "apache-beam": "2.1.0"})
        yield


def test_what_a_worker_fails_with_is_one_error_with_the_cause_first(
    direct: Made, dataset: Dataset, engine: Choice, tmp_path: Path
) -> None:
    made = replace(direct, statistics=tmp_path / "statistics")
    made = replace(made, examples=stages.broken(direct.examples, tmp_path / "broken"))
    with engines.running(engine, "test"), pytest.raises(EngineError) as caught:
        stages.measure(dataset, made)
    (first, *_) = str(caught.value).splitlines()
    assert first.startswith("statistics failed on the engine: OSError: ")
    assert "java" not in str(caught.value)


@pytest.mark.parametrize("on_engine", ["flink"], indirect=True)
def test_workers_that_an_engine_starts_refuse_other_versions_too(
    few: Dataset, on_engine: Callable[..., Choice], tmp_path: Path
) -> None:
    on = on_engine(f"workers.process.command={artifacts.boot()}")
    with other_versions(), engines.running(on, "test"), pytest.raises(EngineError) as caught:
        stages.ingest(few, Made.below(tmp_path))
    assert caught.value.what == f"ingest failed on the engine: {REFUSED}"


def test_a_worker_that_dies_is_replaced_or_reported(engine: Choice, tmp_path: Path) -> None:
    folder = str(tmp_path)

    def die_or_leave(element: int) -> None:  # pickled by value: workers do not have the tests
        import os
        import signal
        from pathlib import Path

        try:
            Path(folder, "died").touch(exist_ok=False)
        except FileExistsError:
            Path(folder, str(element)).touch()
        else:
            os.kill(os.getpid(), signal.SIGKILL)  # like the kernel without memory

    replaced = engine.name == "flink"
    said = pytest.raises(EngineError, match=r"^dying failed on the engine: an SDK worker died \(")
    with (
        contextlib.nullcontext() if replaced else said,
        engines.running(engine, "test"),
        runner.opened("dying") as pipeline,
    ):
        _ = pipeline | beam.Create([1, 2, 3]) | beam.Map(die_or_leave)
    left = {path.name for path in tmp_path.iterdir()}
    assert left >= {"died", *("123" if replaced else "")}


# Beam still reads from the job server, which ends before the job
@pytest.mark.filterwarnings("ignore:Exception in thread wait_until_finish_read")
def test_a_job_ends_with_its_run(engine: Choice, tmp_path: Path) -> None:
    folder = str(tmp_path)

    def work_on(_: None) -> None:  # pickled by value, too
        import os
        import time
        from pathlib import Path

        Path(folder, str(os.getpid())).touch()
        time.sleep(600)

    def stage() -> None:
        with runner.opened("long") as pipeline:
            _ = pipeline | beam.Create([None]) | beam.Map(work_on)

    def interrupt() -> None:
        wait_for("the worker", lambda: any(tmp_path.iterdir()), (), seconds=120)
        raise KeyboardInterrupt  # like Ctrl-C

    with ThreadPoolExecutor(1) as thread:
        with contextlib.suppress(KeyboardInterrupt), engines.running(engine, "left"):
            job = thread.submit(contextvars.copy_context().run, stage)
            interrupt()
        assert isinstance(job.exception(120), EngineError)
    (worker,) = (int(path.name) for path in tmp_path.iterdir())
    wait_for("the worker's end", lambda: not psutil.pid_exists(worker), (), seconds=60)
