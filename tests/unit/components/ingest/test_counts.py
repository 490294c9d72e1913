"""counts.json: read back as written, and only if it adds up."""

import json

import pytest

from components.ingest.counts import Counts
from schemas.errors import DataError

GOOD = {
    "records_read": 13,
    "examples": {"train": 5, "eval": 2, "test": 1},
    "records_rejected": 2,
    "rejected_by_reason": {"not_an_integer": 2},
    "records_dropped": 3,
    "dropped_by_rule": {"splits.gap": 3},
    "splits": {
        "train": {
            "rows": 5,
            "label": {"classes": {"no": 0.8, "yes": 0.2}},
            "time": ["2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"],
            "folds": [3, 2],
        },
        "eval": {"rows": 2, "label": {"positive": 0.5}, "time": [1, 2]},
        "test": {"rows": 1, "label": {"mean": 3.5}},
    },
    "read_by_span": {},
}


def test_written_and_read(tmp_path):
    counts = Counts(**GOOD)
    counts.write(str(tmp_path))
    more = {"repeated": 0, "sampled": {}}
    assert json.loads((tmp_path / "counts.json").read_text()) == GOOD | more
    assert Counts.read(str(tmp_path)) == counts


def test_examples_of_another_component_have_none(tmp_path):
    assert Counts.read(str(tmp_path)) is None


def test_counts_that_add_up():
    Counts(**GOOD).check()


@pytest.mark.parametrize(
    "change",
    [
        {"records_read": 11},
        {"records_rejected": 3},
        {"examples": {"train": 5, "eval": 2, "test": 0}},
        {"rejected_by_reason": {"not_an_integer": 1}},
        {"records_dropped": 4},
        {"dropped_by_rule": {}},
    ],
)
def test_counts_that_do_not(change):
    with pytest.raises(DataError, match="unaccounted for"):
        Counts(**{**GOOD, **change}).check()
