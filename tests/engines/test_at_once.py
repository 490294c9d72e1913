"""Concurrent jobs of two runs on one cluster have the same results as separate ones."""

from __future__ import annotations

import contextvars
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import engines
from schemas.catalog import Dataset
from tests.engines import stages
from tests.engines.flink.cluster import FlinkCluster
from tests.engines.same import require_same
from tests.engines.stages import Made

pytestmark = pytest.mark.engine


def test_two_runs_share_the_slots_and_the_workers_of_a_cluster(
    direct: Made, dataset: Dataset, flink: FlinkCluster, with_pool: str, tmp_path: Path
) -> None:
    made = [replace(direct, statistics=tmp_path / name) for name in ("one", "another")]

    def measure(own: Made) -> None:
        with engines.running(flink.choose(with_pool), own.statistics.name):
            stages.measure(dataset, own)

    with ThreadPoolExecutor(len(made)) as runs:
        # each run chooses its runner in a separate context
        going = [runs.submit(contextvars.copy_context().run, measure, own) for own in made]
    for run, own in zip(going, made, strict=True):
        run.result()
        require_same(direct, own)
