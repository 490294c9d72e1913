"""What a dropped column takes with it: its treatments, fillings and combinations."""

from __future__ import annotations

import json

from components.transform.preprocessing import Preprocessing, make_layout

SECTIONS = {
    "features": [
        {"column": "fare", "treatments": [{"kind": "z_score"}]},
        {"column": "tolls", "treatments": [{"kind": "z_score"}]},
    ],
    "crosses": [],
    "combinations": [{"kind": "pca", "columns": ["fare", "tolls"]}],
    "missing": {
        "fare": {"fill": "median", "by": "company", "indicator": False},
        "tolls": {"fill": "mean", "indicator": False},
    },
    "label": {"task": "binary", "column": "big"},
}


def test_a_dropped_column_takes_its_treatments_fillings_and_combinations_along():
    whole = Preprocessing.loads(json.dumps(SECTIONS))
    kept = whole.without({"tolls": "equal to fare"})
    assert {use.columns for use in kept.uses} == {("fare",)}
    assert kept.missing.keys() == {"fare"}
    assert kept.columns == ("big", "company", "fare")
    layout = make_layout(kept)
    assert layout.dropped == {"tolls": "equal to fare"}
    assert layout.raw_columns == ("fare", "company")


def test_without_dropped_columns_nothing_changes():
    whole = Preprocessing.loads(json.dumps(SECTIONS))
    assert whole.without({}) == whole
