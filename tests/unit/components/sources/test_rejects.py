"""The content of files of rejects."""

from components.sources.rejects import RejectReason


def test_codes_are_stable():
    assert [r.code for r in RejectReason] == [
        "fits",
        "wrong_field_count",
        "unclosed_quote",
        "not_utf8",
        "contains_nul",
        "not_an_integer",
        "integer_beyond_2_53",
        "not_a_number",
        "not_finite",
        "missing_label",
        "not_json",
        "not_an_object",
        "not_text",
        "missing_weight",
        "negative_weight",
        "missing_split",
        "repeated_key",
        "not_a_boolean",
        "not_a_time",
        "time_too_fine",
        "time_beyond_range",
        "not_a_list",
        "missing_in_list",
        "list_too_long",
        "not_an_example",
        "several_values",
    ]
