"""`skewless show RUN COLUMN`: figures of features, measured over rows before and after."""

import json

import numpy as np
import pyarrow as pa
import pytest

from pipeline import cli, show_column
from pipeline.show_column import Transformed, content_of
from schemas.errors import ConfigError
from schemas.layout import Layout
from tests.preprocessing import preprocessing_of

FARES = [None, *np.linspace(1, 50, 50).tolist()]
CITIES = ["Oslo"] * 30 + ["Bergen"] * 15 + ["Bodø"] * 5 + [None]


@pytest.fixture
def found():
    preprocessing = preprocessing_of(
        {
            "fare": ["z_score", {"z_score": {"log1p": True}}, {"buckets": {"at": [10, 20]}}],
            "city": [{"vocabulary": {"top_k": 2}}],
        },
        [{"columns": ["city", "hour"], "buckets": 9}],
        {"name": "big", "exceeds": {"column": "tips", "fraction": 0.5, "of": "of"}},
    )
    features = [f for u in preprocessing.uses for f in u.options.outputs(u.columns, 2)]
    layout = Layout(features=tuple(features), label="big", derived={})
    x = np.array([np.nan, *FARES[1:]])
    made = {
        "fare_z_score": np.nan_to_num(np.clip((x - 25.5) / 10, -2, 2)).astype(np.float32),
        "fare_missing": np.isnan(x).astype(np.float32),
        "fare_buckets": np.where(np.isnan(x), 0, 1 + (x >= 10) + (x >= 20)),
        "city_id": np.array([{"Oslo": 1, "Bergen": 2, "Bodø": 3, None: 0}[c] for c in CITIES]),
        "city_x_hour": np.zeros(51, np.int64),
    }
    raw = pa.table({"fare": pa.array(FARES, pa.float32()), "city": CITIES, "hour": [1] * 51})
    return Transformed("today", layout, preprocessing, raw, pa.table(made))


def features(found, column):
    return {each["name"]: each for each in content_of(found, column, rows=3)["features"]}


def test_a_scaled_number_has_its_mean_and_deviation(found):
    shown = features(found, "fare")["fare_z_score"]
    assert (shown["least"], shown["greatest"]) == (-2, 2)
    assert shown["formula"]["of"] == "x"
    assert shown["formula"]["origin"] == pytest.approx(25.5, rel=1e-4)
    assert shown["formula"]["unit"] == pytest.approx(10, rel=1e-4)
    assert "formula" not in features(found, "fare")["fare_missing"]


def test_an_interval_has_its_least_and_greatest_value(found):
    shown = features(found, "fare")["fare_buckets"]
    assert [(each["id"], each["from"], each["to"]) for each in shown["ids"]] == [
        *((1, 1, 9), (2, 10, 19), (3, 20, 50))
    ]
    assert shown["missing_share"] == pytest.approx(1 / 51, rel=1e-4)
    assert "unknown_share" not in shown


def test_a_vocabulary_has_its_head_and_the_share_of_unknown_values(found):
    shown = features(found, "city")["city_id"]
    assert [(each["value"], each["rows"]) for each in shown["ids"]] == [
        *(("Oslo", 30), ("Bergen", 15), ("Bodø", 5))
    ]
    assert shown["unknown_share"] == pytest.approx(5 / 51, rel=1e-4)
    assert list(features(found, "hour")) == ["city_x_hour"]


def test_rows_are_shown_before_and_after(found):
    samples = content_of(found, "city", rows=3)["samples"]
    assert [each["raw"]["city"] for each in samples] == ["Oslo", "Oslo", None]
    assert [each["features"]["city_id"] for each in samples] == [1, 1, 0]
    json.dumps(samples)


def test_a_column_without_features_is_refused(found):
    with pytest.raises(Exception, match=r"no feature of a column 'cty'; did you mean 'city'\?"):
        content_of(found, "cty", rows=3)


def test_a_folder_without_runs_and_json_without_a_column_are_refused(tmp_path, capsys):
    assert cli.main(["show", str(tmp_path), "fare"]) == 2
    assert "has transformed its data" in capsys.readouterr().err
    assert cli.main(["show", "taxi", "--json"]) == 2


def test_a_dropped_column_is_reported_with_its_reason():
    layout = Layout(features=(), label="big", dropped={"fare": "equal to tips"})
    with pytest.raises(ConfigError, match="dropped the column 'fare': equal to tips"):
        show_column._features_of(layout, "fare")
