"""What statistics foresee about treatments: columns that teach nothing, crowded buckets, memory."""

from __future__ import annotations

import itertools

import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from components import progress
from components.validate.caps import FeaturePlan, caps, figures_of
from components.validate.preflight import check
from schemas.errors import DataError

ROWS = 10_000


def statistics(texts=None, numbers=None):
    """Return statistics of columns of texts by distinct values, and of numbers by quantiles."""
    found = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = found.datasets.add()
    for name, distinct in (texts or {}).items():
        feature = dataset.features.add()
        feature.path.step.append(name)
        feature.string_stats.unique = distinct
        feature.string_stats.common_stats.num_non_missing = ROWS
        feature.string_stats.common_stats.tot_num_values = ROWS
    for name, quantiles in (numbers or {}).items():
        feature = dataset.features.add()
        feature.path.step.append(name)
        feature.num_stats.min, feature.num_stats.max = quantiles[0], quantiles[-1]
        feature.num_stats.common_stats.tot_num_values = ROWS
        histogram = feature.num_stats.histograms.add(type="QUANTILES")
        for low, high in itertools.pairwise(quantiles):
            histogram.buckets.add(low_value=low, high_value=high)
    return found


def plan(*uses, **options):
    written = [{"place": f"line {i}", "columns": c, "options": o} for i, (c, o) in enumerate(uses)]
    return FeaturePlan.model_validate(
        {"level": "stop", "embedding_dim": 8, "uses": written, **options}
    )


@pytest.fixture
def said(monkeypatch):
    remarks: list[str] = []
    monkeypatch.setattr(progress, "remark", lambda stage, text: remarks.append(text))
    return remarks


TEXTS = {"id": 9_500, "city": 300, "shop": 900, "few": 7}
NUMBERS = {
    "even": tuple(range(21)),
    "zero": (*[0] * 20, 9),
    "wild": (0, *range(1, 20), 10_000),
}


@pytest.mark.parametrize(
    ("columns", "options", "words"),
    [
        (["id"], {"kind": "vocabulary"}, "9,500 distinct values among 10,000 are nearly as many"),
        (["id"], {"kind": "one_hot"}, "nearly as many as rows"),
        (["zero"], {"kind": "quantile_buckets"}, "about 95% of the values are equal"),
        (["wild"], {"kind": "equal_width"}, "from 0 to 10000 have outliers"),
        (["even"], {"kind": "buckets", "at": [-3, 5, 99]}, "no value is beyond -3, 99"),
        (
            ["city", "shop"],
            {"kind": "cross", "buckets": 400},
            "up to 10,000 combinations share 400",
        ),
    ],
)
def test_a_doubtful_treatment_is_remarked_with_its_line(said, columns, options, words):
    options = {"columns": columns, **options} if options["kind"] == "cross" else options
    check(statistics(TEXTS, NUMBERS), plan((columns, options)))
    (remark,) = said
    assert words in remark
    assert remark.startswith(f"line 0: {options['kind']} of {', '.join(columns)}: ")


@pytest.mark.parametrize(
    ("columns", "options"),
    [
        (["id"], {"kind": "vocabulary", "min_count": 5}),
        (["id"], {"kind": "hash"}),
        (["city"], {"kind": "vocabulary"}),
        (["even"], {"kind": "quantile_buckets"}),
        (["even"], {"kind": "equal_width"}),
        (["zero"], {"kind": "z_score"}),
        (["even"], {"kind": "buckets", "at": [5, 9]}),
        (["city", "few"], {"kind": "cross", "columns": ["city", "few"], "buckets": 200}),
        (["derived"], {"kind": "vocabulary"}),
    ],
)
def test_a_usual_treatment_is_not(said, columns, options):
    check(statistics(TEXTS, NUMBERS), plan((columns, options)))
    assert said == []


def test_embeddings_that_do_not_fit_stop_the_run(said):
    uses = [
        (["id"], {"kind": "hash", "buckets": 10_000_000}),
        (["id"], {"kind": "vocabulary", "top_k": 10**9, "min_count": 2}),
    ]
    large = {"embedding_dim": 64}
    with pytest.raises(
        DataError, match=r"embeddings of 10,009,503 ids need about 9\.5 GiB"
    ) as error:
        check(statistics(TEXTS), plan(*uses, **large))
    assert "line 0, which has 10,000,001 of them" in str(error.value)
    check(statistics(TEXTS), plan(*uses, **large, level="warn"))
    assert len(said) == 1
    check(statistics(TEXTS), plan(*uses, **large, level="off"))
    check(statistics(TEXTS), plan(*uses))
    assert len(said) == 1


def test_what_is_largest_is_capped_until_all_fit(said):
    uses = [
        (["id"], {"kind": "hash", "buckets": 10_000_000}),
        (["city", "shop"], {"kind": "cross", "columns": ["city", "shop"], "buckets": 9_000_000}),
        (["derived"], {"kind": "vocabulary", "top_k": 10**9}),
        (["few"], {"kind": "vocabulary", "terms": ["a", "b"]}),
        (["id"], {"kind": "vocabulary", "top_k": 10**9, "min_count": 2}),
        (["id"], {"kind": "one_hot", "top_k": 500}),
    ]
    capping = plan(*uses, embedding_dim=64, level="cap")
    found = caps(capping, figures_of(statistics(TEXTS)))
    # 4 GiB have room for 2**28 numbers. 9,507 ids have 64 each, and the greatest two share the rest
    # with 9 million weights of the cross.
    most = (2**28 - 64 * (9_502 + 4) - 9_000_001) // 2
    assert [(cap.use.place, cap.option, cap.after) for cap in found] == [
        ("line 0", "buckets", most // 64 - 1),
        ("line 2", "top_k", most // 64 - 2),
    ]
    crossed = {"kind": "cross", "columns": ["city", "shop"], "buckets": 10**9}
    (cap,) = caps(plan((["city", "shop"], crossed), level="cap"), figures_of(statistics(TEXTS)))
    assert 2**28 - 2 <= cap.after <= 2**28
    check(statistics(TEXTS), capping)
    capped = [remark for remark in said if "capped" in remark]
    assert len(capped) == 2
    assert capped[0].startswith("line 0: hash of id: buckets is capped at 2,0")
    assert caps(plan(*uses[3:], level="cap"), figures_of(statistics(TEXTS))) == []


def test_what_cannot_be_capped_stops_the_run():
    own = {"kind": "own", "columns": ["id", "city"], "features": {"hashed": 9_000_000}}
    with pytest.raises(DataError, match="line 0, which has 9,000,000"):
        check(statistics(TEXTS), plan((["id", "city"], own), embedding_dim=64, level="cap"))
