"""The inputs of the transform graph and the layout of its outputs, without TensorFlow."""

import pytest

from components.transform.preprocessing import Preprocessing, make_layout, raw_columns
from schemas import catalog
from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.spec import Spec
from tests.preprocessing import preprocessing_of

LABEL = {"name": "big", "exceeds": {"column": "tips", "fraction": 0.2, "of": "Fare ($)"}}


def preprocessing(features, crosses=(), label=LABEL):
    return preprocessing_of(features, crosses, label)


def test_a_layout_holds_every_feature_in_the_order_written():
    layout = make_layout(
        preprocessing(
            {
                "naïve": [{"vocabulary": {"oov_buckets": 3}}],
                "Fare ($)": ["z_score", {"quantile_buckets": {"buckets": 4}}],
                "hour": ["vocabulary", "z_score"],
            },
            [{"columns": ["hour", "naïve"], "buckets": 7}],
        ),
    )
    assert layout.label == "big"
    assert [(f.name, f.columns, f.treatment, f.role, f.size) for f in layout.features] == [
        # 1 for missing, the terms, none of which is known yet, the OOV buckets
        ("naïve_id", ("naïve",), "vocabulary", "embedding", 1 + 0 + 3),
        ("Fare ($)_z_score", ("Fare ($)",), "z_score", "dense", 0),
        ("Fare ($)_missing", ("Fare ($)",), "z_score", "dense", 0),
        ("Fare ($)_bucket", ("Fare ($)",), "quantile_buckets", "embedding", 1 + 4),
        ("hour_id", ("hour",), "vocabulary", "embedding", 1 + 0 + 1),
        ("hour_z_score", ("hour",), "z_score", "dense", 0),
        ("hour_missing", ("hour",), "z_score", "dense", 0),
        ("hour_x_naïve", ("hour", "naïve"), "cross", "wide", 7),
    ]


def test_names_are_known_from_pipeline_yaml_alone():
    for spec in (catalog.load("taxi").spec, odd_spec()):
        layout = make_layout(Preprocessing.loads(spec.model_dump_json()))
        assert tuple(f.name for f in layout.features) == spec.transformed_names


def odd_spec():
    every = [{"quantile_buckets": {"buckets": 3}}, "z_score", "vocabulary"]
    return Spec.model_validate(
        {
            "name": "odd",
            "source": {"path": "x"},
            "splits": {"key": ["a"]},
            "label": LABEL,
            "features": {"b c": every, "a": ["z_score"]},
            "crosses": [{"columns": ["a", "b c"]}],
        }
    )


@pytest.mark.parametrize(
    ("features", "crosses", "label", "name"),
    [
        ({"x": ["z_score", "z_score"]}, (), LABEL, "x_z_score"),
        ({"big": ["vocabulary"]}, (), {**LABEL, "name": "big_id"}, "big_id"),
        (
            {"x": ["z_score"]},
            [{"columns": ["a", "b"]}, {"columns": ["a", "b"], "buckets": 9}],
            LABEL,
            "a_x_b",
        ),
        (
            {"x": ["z_score"]},
            [{"columns": ["a_x_b", "c"]}, {"columns": ["a", "b_x_c"]}],
            LABEL,
            "a_x_b_x_c",
        ),
    ],
)
def test_two_features_of_one_name_are_refused(features, crosses, label, name):
    with pytest.raises(ConfigError, match=f"have the name '{name}'"):
        make_layout(preprocessing(features, crosses, label))


def test_columns_are_those_of_features_crosses_and_label_each_once():
    given = preprocessing({"hour": ["z_score"]}, [{"columns": ["hour", "day"]}])
    assert given.columns == ("Fare ($)", "day", "hour", "tips")
    table = tuple(Column(n, "INT", True) for n in ("tips", "other", "hour", "day", "Fare ($)"))
    assert [c.name for c in raw_columns(given, table)] == ["Fare ($)", "day", "hour", "tips"]


def test_the_uses_of_a_treatment_come_with_their_columns_and_options():
    given = preprocessing(
        {"a": ["z_score"], "b": ["vocabulary", {"z_score": {"clip": 2}}], "c": ["vocabulary"]}
    )
    uses = given.by_kind()
    assert {use.column: use.options.clip for use in uses["z_score"]} == {"a": 10.0, "b": 2.0}
    assert [use.column for use in uses["vocabulary"]] == ["b", "c"]
    assert "quantile_buckets" not in uses
