"""Vocabularies of lists, worked out by hand, beside a vocabulary of one value a row."""

import pytest

from components.transform import vocabularies
from schemas.errors import ConfigError

pytestmark = pytest.mark.component

KINDS = {"city": "BYTES", "path": "BYTES", "share": "FLOAT", "tags": "BYTES", "days": "INT"}
KINDS |= {"kind": "BYTES", "emb": "FLOAT", "pix": "INT"}
LISTS = {"path": 4, "share": 4, "tags": 3, "days": 2, "emb": 3, "pix": 2}
TRAIN = {
    "city": ["New York", " new  YORK ", "Z\u00fcrich", "Zu\u0308rich", "!", None],
    "path": [["Home", "a", "B"], ["home"], None, [], ["a", "c"], ["b", "x", "HOME", "a"]],
    "share": [[0.5, 2.0, 9.0], [1.0], [4.0], None, [7.0], [1.0, float("nan"), 3.0, 8.0]],
    "tags": [["b", "a"], ["b"], None, [], ["b", "c", "b"], ["a", "rare"]],
    "days": [[7], [7, 7], [], None, [-1], [5, -1]],
    "kind": ["b", "b", None, "x", "x", "x"],
    "emb": [[1.0, -5.0, 7.0], [3.0, 5.0, 7.0], None, [], [1.0], [3.0]],
    "pix": [[0, 255], [7, 3], [2**53, -1], None, [], [5]],
}
TEST = {
    "city": ["NEW YORK!", "zurich", "", "Rome", None],
    "path": [["HOME", "c", "a"], ["zzz"], None, [], ["a", "b", "x", "home"]],
    "share": [[float("inf"), 0.0, 5.0], None, None, [1.0], [1e-40, -2.0, 3.0, 4.0]],
    "tags": [["b", "a", "b"], ["never"], [], None, ["rare", "c"]],
    "days": [[-1], [7, 6], None, [], [5]],
    "kind": ["x", "b", None, "a", "x"],
    "emb": [[2.0, 10.0, 9.0], [-99.0, 0.0, 7.0], [], None, [3.0, 5.0]],
    "pix": [[1, 2], [3, 4], [5, 6], [7, 8], None],
}


@pytest.fixture(scope="module")
def transformed(run):
    steps = ["punctuation", "accents", "lower", "whitespace"]
    features = {
        "city": {"vocabulary": {"normalize": steps}},
        "path": [
            {"vocabulary": {"normalize": ["lower"], "first": 2, "weights": "share"}},
            {"hash": {"last": 2, "weights": "share", "combine": "sum"}},
        ],
        "tags": {"vocabulary": {"top_k": 3, "min_count": 2}},
        "days": {"vocabulary": {"combine": "sum"}},
        "kind": {"vocabulary": {"terms": ["a", "x"]}},
        "pix": {"vector": {"size": 2, "standardize": False}},
        "emb": {"vector": {"size": 3, "clip": 4}},
    }
    return run(KINDS, features, {"train": TRAIN, "test": TEST}, lists=LISTS)


def test_ids_are_by_count_of_values_in_training(transformed):
    # tags: b occurs four times, a twice; c and rare once. days: 7 three times, -1 twice, 5 once.
    train = transformed.split("train")
    assert train["tags_id"] == [[1, 2], [1], [0], [], [1, 3, 1], [2, 3]]
    assert train["days_id"] == [[1], [1, 1], [], [0], [2], [3, 2]]


def test_values_of_other_splits_have_the_same_ids_or_those_of_oov_buckets(transformed):
    test = transformed.split("test")
    assert test["tags_id"] == [[1, 2, 1], [3], [], [0], [3, 3]]
    assert test["days_id"] == [[2], [1, 4], [0], [], [3]]


def test_terms_that_are_given_have_ids_in_their_order_even_if_no_training_row_has_them(transformed):
    # b is not given, so it has the OOV bucket
    assert transformed.split("train")["kind_id"] == [3, 3, 0, 2, 2, 2]
    assert transformed.split("test")["kind_id"] == [2, 3, 0, 1, 2]


def test_the_layout_says_which_features_are_lists(transformed):
    layout = transformed.layout
    assert [(f.name, f.combine, f.size) for f in layout.lists] == [
        ("path_id", "mean", 7),
        ("path_hash", "sum", 1001),
        ("tags_id", "mean", 4),
        ("days_id", "sum", 5),
    ]
    assert [f.name for f in layout.ids] == ["city_id", "kind_id"]
    assert [f.weights for f in layout.lists] == ["path_id_weight", "path_hash_weight", "", ""]


def test_lists_have_a_file_of_their_own(transformed):
    assets = transformed.graph / "transform_fn" / "assets"
    assert {path.name for path in assets.iterdir()} == {
        vocabularies.FILE_NAME,
        vocabularies.LISTS_FILE_NAME,
    }
    own = vocabularies.read(str(assets / vocabularies.LISTS_FILE_NAME), 3)
    assert [each.terms for each in own] == [
        [b"a", b"home", b"b", b"c", b"x"],
        [b"b", b"a"],
        [b"7", b"-1", b"5"],
    ]


def test_texts_that_are_normalized_have_the_same_id(transformed):
    assert transformed.split("train")["city_id"] == [1, 1, 2, 2, 0, 0]
    assert transformed.split("test")["city_id"] == [1, 2, 0, 3, 0]


def test_a_list_may_be_cut_and_weighted_by_another(transformed):
    # path: of the first two values, a occurs twice, home twice; b and c once, x once.
    train, test = transformed.split("train"), transformed.split("test")
    assert train["path_id"] == [[2, 1], [2], [0], [], [1, 4], [3, 5]]
    assert train["path_id_weight"] == [[0.5, 2], [1], [1], [], [7, 0], [1, 0]]
    assert test["path_id"] == [[2, 4], [6], [0], [], [1, 3]]
    assert test["path_id_weight"] == [[0, 0], [0], [1], [], [0, -2]]
    assert [len(ids) for ids in train["path_hash"]] == [2, 1, 1, 0, 2, 2]
    assert train["path_hash_weight"] == [[2, 9], [1], [1], [], [7, 0], [3, 8]]
    assert train["path_hash"][0][1] != train["path_hash"][5][0] != train["path_hash"][5][1]


def test_each_place_of_a_vector_is_standardized_by_itself(transformed):
    # Places 0, 1, 2: means 2, 0, 7; deviations 1, 5, 0.
    train, test = transformed.split("train"), transformed.split("test")
    assert train["emb_0"] == [-1, 1, 0, 0, -1, 1]
    assert train["emb_1"] == [-1, 1, 0, 0, 0, 0]
    assert test["emb_0"] == [0, -4, 0, 0, 1]
    assert test["emb_1"] == [2, 0, 0, 0, 1]
    assert train["emb_2"] == [0] * 6  # one value in all rows
    assert train["emb_missing"] == [0, 0, 1, 1, 0, 0]
    assert test["emb_missing"] == [0, 0, 1, 1, 0]


def test_a_vector_may_stay_as_it_is(transformed):
    train = transformed.split("train")
    assert train["pix_0"] == [0, 7, 2.0**53, 0, 0, 5]
    assert train["pix_1"] == [255, 3, -1, 0, 0, 0]
    assert train["pix_missing"] == [0, 0, 0, 1, 1, 0]
    assert transformed.split("test")["pix_1"] == [2, 4, 6, 8, 0]


def test_a_vector_is_dense_features_in_the_order_of_its_places(transformed):
    names = [f.name for f in transformed.layout.dense]
    assert names == ["pix_0", "pix_1", "pix_missing", "emb_0", "emb_1", "emb_2", "emb_missing"]


def test_other_treatments_refuse_lists(run):
    with pytest.raises(ConfigError, match="z_score cannot take 'days', which has a list"):
        run({"days": "INT"}, {"days": "z_score"}, {"train": {"days": [[1]]}}, lists={"days": 2})
