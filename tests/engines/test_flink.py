"""A run on a real Flink cluster gives what one in this process gives, whatever dies on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.folders import Folders
from pipeline.runners import Choice
from tests.engines.flink.cluster import FlinkCluster
from tests.engines.same import require_same

pytestmark = [pytest.mark.engine, pytest.mark.slow]

STAGES = ("ingest", "statistics", "transform", "evaluate")


def jobs(cluster: FlinkCluster) -> list[dict[str, Any]]:
    return sorted(cluster.ask("/jobs/overview")["jobs"], key=lambda job: job["start-time"])


def test_a_run_gives_what_one_in_this_process_gives(
    direct: Folders,
    flink: FlinkCluster,
    on_flink: Callable[..., Choice],
    pool: str,
    run_on: Callable[[Choice], Folders],
) -> None:
    on_cluster = run_on(on_flink(f"workers.pool.address={pool}"))
    require_same(direct, on_cluster)
    ran = jobs(flink)
    assert [job["name"].rpartition("-")[2] for job in ran] == list(STAGES)  # one job a stage
    assert {job["state"] for job in ran} == {"FINISHED"}
