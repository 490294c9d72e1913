"""Real engines on this machine, and a run of the taxi data in this process to compare with.

`make engines` runs these tests; they are not part of `make test`. Missing engines skip their tests,
with what to install; with SKEWLESS_REQUIRE_ENGINES=1, as in CI, they fail.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis  # noqa: F401  # pytest's last words import it: too late after a run's gc.freeze()
import pytest
import yaml

from components import dataflow_job
from components.compat import quiet_environment
from pipeline import packages, runners
from pipeline.runners import Choice
from schemas import catalog
from schemas.catalog import Dataset
from schemas.runners import Runner
from tests import every_type
from tests.engines import artifacts, pools, stages
from tests.engines.artifacts import require
from tests.engines.dataflow import asking
from tests.engines.dataflow.service import Cloud
from tests.engines.flink.cluster import FlinkCluster
from tests.engines.processes import Server
from tests.engines.spark.cluster import SparkCluster
from tests.engines.stages import Made

quiet_environment()

# So small that every split has several batches, and each engine can distribute them.
BATCH_ROWS = 2_048


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The taxi dataset, in batches of a few rows."""
    folder, taxi = tmp_path_factory.mktemp("dataset"), catalog.find_folder("taxi")
    values = yaml.safe_load((taxi / "pipeline.yaml").read_text(encoding="utf-8"))
    values["examples"] = {"batch_rows": BATCH_ROWS}
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    text = (taxi / "schema.pbtxt").read_text(encoding="utf-8")
    (folder / "schema.pbtxt").write_text(text, encoding="utf-8")
    return catalog.load(str(folder))


@pytest.fixture(scope="session")
def direct(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The artifacts that this process makes of the data."""
    return stages.make(dataset, runners.choose(Runner()), tmp_path_factory.mktemp("direct"))


@pytest.fixture(scope="session")
def typed_dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A column of each type, several classes, and a split that looks at all rows first."""
    return catalog.load(str(every_type.write(tmp_path_factory.mktemp("every"), 3_000)))


@pytest.fixture(scope="session")
def typed_direct(typed_dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The artifacts that this process makes of it."""
    folder = tmp_path_factory.mktemp("typed_direct")
    return stages.make(typed_dataset, runners.choose(Runner()), folder)


@pytest.fixture(scope="session")
def flink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    """A cluster of one task manager with two slots."""
    require("java", "mvn")
    with FlinkCluster(tmp_path_factory.mktemp("engine") / "flink") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    """A master with one worker of two cores."""
    require("java", "mvn")
    with SparkCluster(tmp_path_factory.mktemp("engine") / "spark") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def on_prism() -> Callable[..., Choice]:
    """Choose Prism, with further settings KEY=VALUE."""

    def choose(*settings: str) -> Choice:
        return runners.choose(Runner(), "prism", [f"binary={artifacts.prism()}", *settings])

    return choose


@pytest.fixture(scope="session")
def pool_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Server]]:
    """A pool of workers in a separate process, with its address."""
    with pools.running(tmp_path_factory.mktemp("pool") / "workers.log") as pool:
        yield pool


@pytest.fixture(scope="session")
def pool(pool_process: tuple[str, Server]) -> str:
    """The address of a pool of workers."""
    return pool_process[0]


@pytest.fixture(scope="session")
def pool_server(pool_process: tuple[str, Server]) -> Server:
    """The process of that pool."""
    return pool_process[1]


@pytest.fixture(scope="session")
def with_pool(pool: str) -> str:
    """The setting for workers of the pool."""
    return f"workers.pool.address={pool}"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Replacements for Dataflow and a bucket."""
    with Cloud(tmp_path_factory.mktemp("cloud")) as one, pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataflow_job, "LOOK_EVERY", 0.2)
        patch.setenv("STORAGE_EMULATOR_HOST", one.storage)
        patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(one.credentials()))
        yield one


@pytest.fixture
def on_dataflow(cloud: Cloud) -> Callable[..., Choice]:
    """Choose Dataflow, with further settings KEY=VALUE."""
    return functools.partial(asking.choose, cloud)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project's package, as in an image."""
    return packages.build(packages.own_setup_file(), tmp_path_factory.mktemp("wheel"))
