"""A table with a column of each type goes to a pushed model that every serving path agrees on."""

import json

import pytest

from pipeline import cli
from tests import every_type

pytestmark = [pytest.mark.e2e, pytest.mark.long]

ROWS = 1500


def test_a_column_of_each_type_is_proven(tmp_path):
    folder = every_type.write(tmp_path / "every", ROWS)
    assert cli.main(["run", str(folder), "--output", str(tmp_path / "runs")]) == 0

    (summary,) = (tmp_path / "runs").glob("every/runs/*/summary.json")
    content = json.loads(summary.read_text())
    counts = content["counts"]
    assert counts["records_read"] == ROWS
    assert counts["dropped_by_rule"]["splits.gap"] > 0
    assert sum(counts["examples"].values()) + counts["records_dropped"] == ROWS
    assert content["evaluation"]["overall"]["accuracy"] > 0.57
    parity = content["parity"]
    assert parity["proven"]
    assert len(parity["serving_paths"]) == 8
    assert all(q["differing"] == 0 and q["values"] > 0 for q in parity["questions"])
