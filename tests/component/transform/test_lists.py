"""Vocabularies of lists, worked out by hand, beside a vocabulary of one value a row."""

import pytest

from components.transform import vocabularies
from schemas.errors import ConfigError

pytestmark = pytest.mark.component

KINDS = {"tags": "BYTES", "days": "INT", "kind": "BYTES"}
LISTS = {"tags": 3, "days": 2}
TRAIN = {
    "tags": [["b", "a"], ["b"], None, [], ["b", "c", "b"], ["a", "rare"]],
    "days": [[7], [7, 7], [], None, [-1], [5, -1]],
    "kind": ["b", "b", None, "x", "x", "x"],
}
TEST = {
    "tags": [["b", "a", "b"], ["never"], [], None, ["rare", "c"]],
    "days": [[-1], [7, 6], None, [], [5]],
    "kind": ["x", "b", None, "a", "x"],
}


@pytest.fixture(scope="module")
def transformed(run):
    features = {
        "tags": {"vocabulary": {"top_k": 3, "min_count": 2}},
        "days": {"vocabulary": {"combine": "sum"}},
        "kind": "vocabulary",
    }
    return run(KINDS, features, {"train": TRAIN, "test": TEST}, lists=LISTS)


def test_ids_are_by_count_of_values_in_training(transformed):
    # tags: b occurs four times, a twice; c and rare once. days: 7 three times, -1 twice, 5 once.
    train = transformed.split("train")
    assert train["tags_id"] == [[1, 2], [1], [0], [], [1, 3, 1], [2, 3]]
    assert train["days_id"] == [[1], [1, 1], [], [0], [2], [3, 2]]
    assert train["kind_id"] == [2, 2, 0, 1, 1, 1]


def test_values_of_other_splits_have_the_same_ids_or_those_of_oov_buckets(transformed):
    test = transformed.split("test")
    assert test["tags_id"] == [[1, 2, 1], [3], [], [0], [3, 3]]
    assert test["days_id"] == [[2], [1, 4], [0], [], [3]]
    assert test["kind_id"] == [1, 2, 0, 3, 1]


def test_the_layout_says_which_features_are_lists(transformed):
    layout = transformed.layout
    assert [(f.name, f.combine, f.size) for f in layout.lists] == [
        ("tags_id", "mean", 4),
        ("days_id", "sum", 5),
    ]
    assert [f.name for f in layout.ids] == ["kind_id"]


def test_lists_have_a_file_of_their_own(transformed):
    assets = transformed.graph / "transform_fn" / "assets"
    assert {path.name for path in assets.iterdir()} == {
        vocabularies.FILE_NAME,
        vocabularies.LISTS_FILE_NAME,
    }
    own = vocabularies.read(str(assets / vocabularies.LISTS_FILE_NAME), 2)
    assert [each.terms for each in own] == [[b"b", b"a"], [b"7", b"-1", b"5"]]


def test_other_treatments_refuse_lists(run):
    with pytest.raises(ConfigError, match="z_score cannot take 'days', which has a list"):
        run({"days": "INT"}, {"days": "z_score"}, {"train": {"days": [[1]]}}, lists={"days": 2})
