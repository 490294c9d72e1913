"""Workers that share only a store with the command give the same results as this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components import files, store_patience
from pipeline import engines
from pipeline.folders import Folders
from pipeline.run import run
from pipeline.runners import Choice
from schemas.catalog import Dataset
from schemas.errors import StoreError
from tests import emulators
from tests.at_start import at_start
from tests.emulators import Emulators
from tests.engines import pools, stages
from tests.engines.flink.cluster import FlinkCluster
from tests.engines.processes import wait_for
from tests.engines.same import require_same, require_same_transform
from tests.engines.stages import Made

pytestmark = pytest.mark.engine

GOOGLE, AMAZON = emulators.ROOTS


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    """Both stores, without retries."""
    with (
        emulators.running(tmp_path_factory.mktemp("stores")) as both,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv(store_patience.VARIABLE, "0")
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield both


@pytest.fixture(scope="module")
def on_pool(
    stores: Emulators, flink: FlinkCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Choice]:
    """Flink with workers of a pool that was started with the stores' settings."""
    with pools.running(tmp_path_factory.mktemp("pool") / "workers.log") as (address, _):
        yield flink.choose(f"workers.pool.address={address}")


def test_a_run_in_a_store_that_went_away_meanwhile_goes_on_and_passes_the_gates(
    direct: Made,
    dataset: Dataset,
    flink: FlinkCluster,
    on_pool: Choice,
    stores: Emulators,
    tmp_path: Path,
) -> None:
    source = f"{GOOGLE}/data/trips.csv"
    files.copy_file(dataset.source_patterns[0], source)
    spec = dataset.spec.model_copy(
        update={"source": dataset.spec.source.model_copy(update={"path": source})}
    )
    in_store = replace(dataset, spec=spec)

    before = len(jobs(flink))
    going = threading.Thread(target=when_it_runs, args=(flink, "transform", stores.google.stop))
    with (
        at_start("transform", going.start),
        pytest.raises(StoreError, match=r"^the store does not answer: .*refused") as caught,
    ):
        run(in_store, output=f"{GOOGLE}/runs", on=on_pool)
    going.join(60)
    assert str(caught.value.where).startswith(f"{GOOGLE}/runs/{spec.name}/artifacts/")
    assert "can be reached" in str(caught.value.remedy)
    assert jobs(flink)[-1]["state"] == "FAILED"  # a worker reported it

    stores.google.start()
    summary = run(in_store, output=f"{GOOGLE}/runs", on=on_pool)
    assert summary.status == "pushed"
    told = {stage.name: stage.state for stage in summary.stages}
    assert told["ingest"] == told["statistics"] == "cached"
    names = [job["name"].rpartition("-")[2] for job in jobs(flink)[before:]]
    assert names == ["ingest", "statistics", "transform", "transform", "evaluate"]
    folders = Folders.of(f"{GOOGLE}/runs", spec.name)
    copy = Folders.of(tmp_path, spec.name)
    files.copy_tree(folders.artifacts, copy.artifacts)
    require_same(direct, Made.by(copy))


def test_workers_write_a_transform_graph_to_a_store_that_tensorflow_does_not_know(
    direct: Made, dataset: Dataset, on_pool: Choice, tmp_path: Path
) -> None:
    files.copy_tree(str(direct.examples), f"{AMAZON}/examples")
    with engines.running(on_pool, "test"):
        stages.transform_between(
            dataset, f"{AMAZON}/examples", f"{AMAZON}/graph", f"{AMAZON}/transformed"
        )
    assert files.names(AMAZON) == ["examples", "graph", "transformed"]  # and nothing else
    files.copy_tree(AMAZON, str(tmp_path))
    require_same_transform(direct, Made.below(tmp_path))


def when_it_runs(cluster: FlinkCluster, stage: str, do: Callable[[], None]) -> None:
    """Wait until a stage's job runs, then do something."""

    def runs() -> bool:
        return any(
            job["name"].endswith(f"-{stage}") and job["state"] == "RUNNING" for job in jobs(cluster)
        )

    wait_for(f"the job of {stage}", runs, (), 300)
    do()


def jobs(cluster: FlinkCluster) -> list[dict[str, Any]]:
    return sorted(cluster.ask("/jobs/overview")["jobs"], key=lambda job: job["start-time"])
