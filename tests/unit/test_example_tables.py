"""The tables of the shipped datasets are those that the script makes, and fit their files."""

import csv
import io

import pytest

from schemas import catalog
from scripts import example_tables


@pytest.mark.parametrize(
    ("name", "file", "rows", "task"),
    [
        ("support", "tickets.csv", example_tables.tickets, "multiclass"),
        ("deliveries", "deliveries.csv", example_tables.deliveries, "regression"),
    ],
)
def test_a_shipped_table_is_what_the_script_makes(name, file, rows, task):
    dataset = catalog.load(name)
    assert dataset.source_patterns[0].endswith(file)
    assert dataset.spec.label.task == task
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows())
    with open(dataset.source_patterns[0], encoding="utf-8", newline="") as shipped:
        assert shipped.read() == text.getvalue()


def test_the_truth_is_a_distribution():
    shares = example_tables.team_shares("mail", "free", "api", 3, 1)
    assert sum(shares) == pytest.approx(1)
    assert min(shares) > 0
