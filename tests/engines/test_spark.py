"""A Spark master with a worker of its own gives what this process gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import runners
from schemas.catalog import Dataset
from schemas.runners import Runner
from tests.engines import artifacts, stages
from tests.engines.artifacts import require
from tests.engines.same import require_same
from tests.engines.spark.cluster import JAVA_OPTIONS, SparkCluster
from tests.engines.stages import Made

pytestmark = [
    pytest.mark.engine,
    pytest.mark.slow,
    # Beam does not close the output of the job server that it starts
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]


@pytest.fixture
def spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SparkCluster]:
    require("java", "mvn")
    monkeypatch.setenv("JDK_JAVA_OPTIONS", JAVA_OPTIONS)  # of the job server
    with SparkCluster(tmp_path / "spark") as cluster:
        yield cluster


def test_spark_gives_what_this_process_gives(
    direct: Made, dataset: Dataset, spark: SparkCluster, pool: str, tmp_path: Path
) -> None:
    settings = [f"master={spark.master}", f"job_server_jar={artifacts.spark_job_server()}"]
    settings += [f"workers.pool.address={pool}"]
    on = runners.choose(Runner(), "spark", settings)
    require_same(direct, stages.make(dataset, on, tmp_path / "made"))
