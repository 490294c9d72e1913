"""An ingest that is killed leaves nothing that looks complete, and the next one is not affected."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.component, pytest.mark.long]

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def test_twenty_kills_leave_nothing_half_written_and_the_next_ingest_gives_the_same(tmp_path):
    for file in range(3):
        rows = "".join(f"{i},{'ab'[i % 2]}\n" for i in range(1000 * file, 1000 * file + 400))
        (tmp_path / f"{file}.csv").write_text(f"n,t\n{rows}soon,a\n")
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # of a failure
    done = subprocess.run(
        [sys.executable, str(HERE / "killed_ingest.py"), str(tmp_path), str(seed)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    result = json.loads(done.stdout)
    assert len(result["left"]) == 20
    assert all(left["complete"] or not left["exists"] for left in result["left"])
    assert sum(left["exists"] for left in result["left"]) < 10  # most of them are killed at work
    # the names by which the next run knows what to remove
    assert {name.partition("-")[0] for name in result["beside"]} <= {"again.partial", "complete"}
    assert any(name.startswith("again.partial-") for name in result["beside"])
    assert result["same"]
