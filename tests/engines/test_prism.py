"""Beam's Prism gives what this process gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import runners
from schemas.catalog import Dataset
from schemas.runners import Runner
from tests.engines import artifacts, stages
from tests.engines.same import require_same
from tests.engines.stages import Made

pytestmark = [
    pytest.mark.engine,
    pytest.mark.slow,
    # Beam does not close the output of the job server that it starts
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]


@pytest.mark.parametrize("workers", ["loopback", "pool"])
def test_prism_gives_what_this_process_gives(
    direct: Made, dataset: Dataset, workers: str, pool: str, tmp_path: Path
) -> None:
    chosen = "workers=loopback" if workers == "loopback" else f"workers.pool.address={pool}"
    on = runners.choose(Runner(), "prism", [f"binary={artifacts.prism()}", chosen])
    require_same(direct, stages.make(dataset, on, tmp_path))
