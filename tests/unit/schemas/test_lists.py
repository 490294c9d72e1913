"""Columns of lists in a dataset's two files: what takes them, and what is refused by name."""

import pytest

from schemas import catalog
from schemas.columns import columns_of, parse_schema
from tests.unit.schemas.conftest import refusal

COUNT = "value_count { min: 0 max: 5 }"


def make_list(folder, name, kind):
    folder.change_schema(f'"{name}" type: {kind}', f'"{name}" type: {kind} {COUNT}')


def test_a_max_above_one_makes_a_list():
    text = "".join(
        f'feature {{ name: "{name}" type: INT {count} }}\n'
        for name, count in (("none", ""), ("one", "value_count { max: 1 }"), ("five", COUNT))
    )
    columns = columns_of(parse_schema(text, where="schema.pbtxt"), where="schema.pbtxt")
    assert [(c.name, c.most, c.is_list) for c in columns] == [
        ("none", 0, False),
        ("one", 0, False),
        ("five", 5, True),
    ]


def test_a_vocabulary_takes_lists(folder):
    folder.change("crosses:\n  - columns: [payment, hour]\n    buckets: 20\n", "")
    folder.change("  slices: [payment]\n", "")
    folder.change("  payment: vocabulary", "  payment: {vocabulary: {combine: sum}}")
    make_list(folder, "payment", "BYTES")
    (payment,) = [c for c in catalog.load(str(folder)).columns if c.name == "payment"]
    assert payment.most == 5


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("fare", "FLOAT", "z_score cannot take 'fare', which has a list of values a row"),
        ("hour", "INT", "z_score cannot take 'hour', which has a list of values a row"),
        ("payment", "BYTES", "a cross cannot take 'payment', which has a list of values a row"),
        ("tips", "FLOAT", "label cannot take 'tips', which has a list of values a row"),
    ],
)
def test_what_takes_one_value_a_row_refuses_lists(folder, name, kind, said):
    make_list(folder, name, kind)
    error = refusal(folder)
    assert error.what == said
    assert (error.expected or "").startswith("a column of one value a row")


@pytest.mark.parametrize(
    ("old", "new", "user"),
    [("slices: [payment]", "slices: [payment, tags]", "evaluation.slices"),
     ("key: [fare, hour]", "key: [fare, tags]", "splits")],
)  # fmt: skip
def test_slices_and_keys_refuse_lists(folder, old, new, user):
    folder.change(old, new)
    folder.schema.write_text(
        folder.schema.read_text() + f'feature {{ name: "tags" type: BYTES {COUNT} }}\n'
    )
    error = refusal(folder)
    assert error.what == f"{user} cannot take 'tags', which has a list of values a row"


@pytest.mark.parametrize("kind", ["multi_hot", "length"])
def test_what_is_made_of_lists_takes_nothing_else(folder, kind):
    folder.change("  payment: vocabulary", f"  payment: {kind}")
    error = refusal(folder)
    assert error.what == f"{kind} cannot take 'payment', which has one value a row"
    assert error.expected == "a column of lists"


@pytest.mark.parametrize("option", ["combine: sum", "first: 2", "last: 2", "weights: fare"])
def test_some_options_are_for_lists(folder, option):
    folder.change("  payment: vocabulary", f"  payment: {{vocabulary: {{{option}}}}}")
    assert f"has `{option.split(':')[0]}`, which has no effect" in refusal(folder).what


@pytest.mark.parametrize(
    ("treatment", "said"),
    [
        ("vocabulary: {first: 1, last: 1}", "first and last exclude each other"),
        ("bag_of_words: {ngram_range: [3, 2]}", "ngram_range begins at 3 and ends at 2"),
        ("bag_of_words: {tf_idf: true, hash_buckets: 9}", "tf_idf needs n-grams that are learnt"),
        ("hash: {normalize: [upper]}", "normalize"),
    ],
)
def test_options_of_texts_and_lists_exclude_each_other(folder, treatment, said):
    folder.change("  payment: vocabulary", f"  payment: {{{treatment}}}")
    assert said in str(refusal(folder))


def test_numbers_are_not_normalized(folder):
    folder.change("features:\n", "features:\n  hours: {hash: {normalize: [lower]}}\n")
    folder.schema.write_text(folder.schema.read_text() + 'feature { name: "hours" type: INT }\n')
    assert "has `normalize`, which has no effect" in refusal(folder).what


@pytest.mark.parametrize(
    ("count", "has"),
    [
        ("value_count { min: 3 max: 3 }", None),
        ("value_count { max: 4 }", "lists of up to 4 values"),
        ("", "one value a row"),
    ],
)
def test_a_vector_takes_lists_of_its_size(folder, count, has):
    folder.change("features:\n", "features:\n  place: {vector: {size: 3}}\n")
    folder.schema.write_text(
        folder.schema.read_text() + f'feature {{ name: "place" type: FLOAT {count} }}\n'
    )
    if has is None:
        catalog.load(str(folder))
    else:
        expected = f"vector of 'place' has the size 3, but the column has {has}"
        assert refusal(folder).what == expected
