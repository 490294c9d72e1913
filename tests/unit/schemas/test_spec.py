"""pipeline.yaml's types: short forms, JSON for the stages, and derived values."""

import pydantic
import pytest

from schemas import catalog, spec
from schemas.features import Feature
from schemas.layout import Layout, TransformedFeature
from schemas.model import Model
from schemas.splits.hash import Hash
from schemas.tasks.binary import Binary, Equals
from schemas.treatments.cross import Cross
from schemas.treatments.quantile_buckets import QuantileBuckets
from schemas.treatments.vocabulary import Vocabulary
from schemas.treatments.z_score import ZScore


def treatments(value):
    return Feature(column="x", treatments=value).treatments


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("z_score", (ZScore(),)),
        (["z_score"], (ZScore(),)),
        ({"z_score": None}, (ZScore(),)),
        ({"z_score": {"clip": 5}}, (ZScore(clip=5.0),)),
        (
            [{"quantile_buckets": {"buckets": 3}}, "vocabulary"],
            (QuantileBuckets(buckets=3), Vocabulary()),
        ),
        ([ZScore(clip=2)], (ZScore(clip=2),)),
        ([{"kind": "vocabulary", "top_k": 7}], (Vocabulary(top_k=7),)),
    ],
)
def test_treatments_are_read_in_short_and_long_form(written, read):
    assert treatments(written) == read


def test_a_spec_travels_as_json_to_the_stages():
    taxi = catalog.load("taxi").spec
    for part in (taxi.source, taxi.splits, taxi.label, taxi.model, taxi.evaluation, taxi.examples):
        assert type(part).model_validate_json(part.model_dump_json()) == part
    assert spec.Spec.model_validate_json(taxi.model_dump_json()) == taxi


def test_a_spec_is_frozen():
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        setattr(Model(), "seed", 3)  # noqa: B010


def test_feature_columns_are_each_once_in_the_order_written():
    taxi = catalog.load("taxi").spec
    extra = Cross(columns=("fare", "a"))
    changed = taxi.model_copy(update={"crosses": (*taxi.crosses, extra)})
    assert changed.feature_columns == (*taxi.feature_columns, "a")
    assert changed.feature_columns[:2] == ("trip_miles", "fare")


@pytest.mark.parametrize(
    ("label", "columns"),
    [
        ({"equals": {"column": "x", "values": ["No", 3]}}, ("x",)),
        ({"exceeds": {"column": "x", "fraction": 1, "of": "y"}}, ("x", "y")),
    ],
)
def test_a_labels_columns(label, columns):
    assert Binary.model_validate({"name": "l", **label}).columns == columns


@pytest.mark.parametrize("value", [True, 1.0, None])
def test_a_label_value_is_text_or_a_whole_number(value):
    with pytest.raises(pydantic.ValidationError, match="values"):
        Equals.model_validate({"column": "x", "values": [value]})


def test_shares_must_add_up():
    assert Hash(key=("x",), train=0.1, eval=0.2, test=0.7).test == 0.7
    with pytest.raises(pydantic.ValidationError, match=r"must be 1, got 0\.9"):
        Hash(key=("x",), train=0.6)


def test_a_layout_lists_dense_and_id_features_in_order():
    features = [
        TransformedFeature(name=n, columns=(n,), treatment="t", role=k, size=s)
        for n, k, s in (
            ("a", "embedding", 3),
            ("b", "dense", 0),
            ("c", "wide", 2),
            ("d", "dense", 0),
        )
    ]
    layout = Layout(features=tuple(features), label="l")
    assert [f.name for f in layout.dense] == ["b", "d"]
    assert [(f.name, f.size) for f in layout.ids] == [("a", 3), ("c", 2)]
    assert Layout.model_validate_json(layout.model_dump_json()) == layout
