"""pipeline.yaml held against schema.pbtxt: columns that are not there, do not fit, or leak."""

import pytest

from tests.unit.schemas.conftest import refusal


def test_a_feature_that_no_request_carries_leaks_the_answer(folder):
    folder.change("  payment: vocabulary", "  tips: z_score\n  payment: vocabulary")
    error = refusal(folder)
    assert error.what == "the feature 'tips' is not known when serving"
    assert "leak" in error.expected


def test_the_outcome_is_no_feature_even_where_requests_carry_it(folder):
    folder.change("  payment: vocabulary", "  tips: z_score\n  payment: vocabulary")
    folder.change_schema(' not_in_environment: "SERVING"', "")
    assert refusal(folder).what == "the feature 'tips' is what the label is made from"


def test_a_cross_leaks_as_a_feature_does(folder):
    folder.change("  hour: [vocabulary, z_score]\n", "")
    folder.change_schema('"hour" type: INT', '"hour" type: INT not_in_environment: "SERVING"')
    assert refusal(folder).what == "the feature 'hour' is not known when serving"


@pytest.mark.parametrize(
    ("old", "new", "what", "expected"),
    [
        (
            "payment: vocabulary",
            "payment: z_score",
            "z_score cannot take 'payment', which is BYTES",
            "INT or FLOAT",
        ),
        (
            "payment: vocabulary",
            "payment: quantile_buckets",
            "quantile_buckets cannot take 'payment', which is BYTES",
            "INT or FLOAT",
        ),
        (
            "- quantile_buckets: {buckets: 4}",
            "- vocabulary",
            "vocabulary cannot take 'fare', which is FLOAT",
            "INT or BYTES",
        ),
        (
            "[payment, hour]",
            "[payment, fare]",
            "a cross cannot take 'fare', which is FLOAT",
            "INT or BYTES",
        ),
        (
            "column: tips",
            "column: payment",
            "label.exceeds cannot take 'payment', which is BYTES",
            "INT or FLOAT",
        ),
        (
            "exceeds: {column: tips, fraction: 0.2, of: fare}",
            "equals: {column: fare, values: [1]}",
            "label.equals cannot take 'fare', which is FLOAT",
            "INT or BYTES",
        ),
    ],
)
def test_a_column_of_the_wrong_kind_is_refused(folder, old, new, what, expected):
    folder.change(old, new)
    error = refusal(folder)
    assert (error.what, error.expected) == (what, expected)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("payment: vocabulary", "paymnt: vocabulary", "features"),
        ("[payment, hour]", "[paymnt, hour]", "crosses"),
        ("key: [fare, hour]", "key: [paymnt]", "splits.key"),
        ("slices: [payment]", "slices: [paymnt]", "evaluation.slices"),
        ("column: tips", "column: paymnt", "label"),
        ("of: fare", "of: paymnt", "label"),
    ],
)
def test_a_column_that_the_schema_lacks_is_answered_with_the_nearest(folder, old, new, place):
    folder.change(old, new)
    error = refusal(folder)
    assert error.what == "there is no column 'paymnt' in schema.pbtxt; did you mean 'payment'?"
    assert place in error.where
    assert str(folder.pipeline) in error.where
