"""A SavedModel of columns of lists: its signatures agree with each other and with training."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.encoded_examples import as_tf_examples
from components.examples import arrow_schema, as_raw_columns, iter_batches, objects
from components.export import column_file
from components.export import signatures as names
from components.parity.libtensorflow import TensorFlowError
from schemas.columns import LARGEST_INTEGER

pytestmark = pytest.mark.component

NAN, INF = math.nan, math.inf
UNSEEN = "never seen"
LISTS: dict[str, list[Any]] = {
    "tags": [None, [], ["Cash"], ["Cash", "Crédit", "日本", "Cash"], [UNSEEN, "Cash"]],
    "days": [None, [], [1], [3, 2, 1], [999, LARGEST_INTEGER]],
    "codes": [None, [], ["a"], ["b", "a"], [UNSEEN]],
}


@pytest.fixture(scope="module")
def serving(exported_lists):
    return names.serving_columns(exported_lists.columns, exported_lists.layout)


@pytest.fixture(scope="module")
def model(exported_lists):
    """The export in the C++ loader."""
    from components.parity.c_api import SavedModel

    with SavedModel(exported_lists.saved_model) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def batch(serving):
    """Rows with each of the lists, and with all of them in another order."""
    rows = [
        {"tags": tags, "days": days, "codes": codes, "age": 3}
        for tags, days, codes in zip(*LISTS.values(), strict=True)
    ]
    rows += [{n: v and v[::-1] for n, v in row.items() if n != "age"} for row in rows]
    return pa.RecordBatch.from_pylist(rows, arrow_schema(serving))


@pytest.fixture(scope="module")
def examples(batch, serving):
    return objects(as_tf_examples(batch, serving))


def ids(values):
    """The lists of ids of a signature's output."""
    return [[i for i in row if i >= 0] for row in values.tolist()]


def test_inputs_of_lists_are_matrices_that_may_be_left_out(model, exported_lists):
    signature = model.signatures[names.RAW_COLUMNS]

    assert {n: a.shape for n, a in signature.defaults.items()} == {
        "tags": (0, 0),
        "days": (0, 0),
        "codes": (0, 0),
        "age": (0,),
    }
    assert column_file.read(exported_lists.saved_model)["tags"].most == 4


def whole(folder):
    """The test split as one batch."""
    table = pa.Table.from_batches(iter_batches(folder, "test"))
    return table.combine_chunks().to_batches()[0]


def test_features_are_those_of_training(model, exported_lists, serving):
    rows = whole(exported_lists.examples)
    trained = whole(f"{exported_lists.transform_graph}-examples")
    examples = objects(as_tf_examples(rows, serving))

    features = model.run(names.TRANSFORM_FEATURES, {"examples": examples})

    for feature in exported_lists.layout.lists:
        wanted = trained.column(trained.schema.get_field_index(feature.name)).to_pylist()
        assert ids(features[feature.name]) == wanted
        assert [0] in wanted
        assert [] in wanted
        assert any(len(row) > 1 for row in wanted)


def test_ids_are_those_of_the_values(model, examples, exported_lists):
    features = model.run(names.TRANSFORM_FEATURES, {"examples": examples})
    sizes = {f.name: f.size for f in exported_lists.layout.lists}

    assert sizes == {"tags_id": 1 + 3 + 2, "days_id": 1 + 5 + 1, "codes_id": 1 + 2 + 1}
    for name, values in LISTS.items():
        numbers = ids(features[f"{name}_id"])
        assert numbers[:2] == [[0], []]
        (one,) = numbers[2]
        assert 1 <= one < sizes[f"{name}_id"]
        assert len(numbers[3]) == len(values[3])
        assert numbers[3][values[3].index(values[2][0])] == one
        assert numbers[4][0] > sizes[f"{name}_id"] - 3  # an OOV bucket
        assert numbers[5:] == [row[::-1] for row in numbers[:5]]


def test_every_signature_gives_the_same_scores(model, batch, serving, examples):
    scores = model.run(names.SERVING_DEFAULT, {"examples": examples})["scores"]

    raw = as_raw_columns(batch, serving)
    np.testing.assert_allclose(model.run(names.RAW_COLUMNS, raw)["scores"], scores, rtol=1e-6)
    np.testing.assert_allclose(model.run(names.PREDICT, raw)["score"], scores, rtol=1e-6)
    assert np.unique(scores[:5]).size == 5  # a missing list is not an empty one
    np.testing.assert_allclose(scores[1], model.run(names.PREDICT, wider(raw))["score"][1])


def wider(raw):
    """The same lists with more padding."""
    padding = {"tags": b"", "days": NAN, "codes": b""}
    return {
        n: np.pad(a, [(0, 0), (0, 3)], constant_values=padding[n]) if n in padding else a
        for n, a in raw.items()
    }


def test_the_order_of_a_list_does_not_matter(model, exported_lists, serving):
    rows = [{"tags": ["Cash", "日本", "Crédit"], "days": [1, 2]}]
    rows += [{"tags": ["日本", "Crédit", "Cash"], "days": [2, 1]}]
    batch = pa.RecordBatch.from_pylist(rows, arrow_schema(serving))
    first, second = model.run(names.PREDICT, as_raw_columns(batch, serving))["score"]
    assert first == pytest.approx(second, rel=1e-6)


def test_a_list_that_is_left_out_is_missing(model):
    with_age = {"age": np.array([3.0, 4.0])}
    missing = {
        "tags": np.full((2, 1), b"", object),
        "days": np.full((2, 1), NAN),
        "codes": np.full((2, 1), b"", object),
    }
    expected = model.run(names.PREDICT, {**with_age, **missing})["score"]

    assert model.run(names.PREDICT, with_age)["score"].tolist() == expected.tolist()
    narrow = {"tags": np.empty((2, 0), object), "days": np.empty((2, 0)), "codes": missing["codes"]}
    empty = {"tags": np.array([[b"\0"]] * 2, object), "days": np.full((2, 1), INF)}
    assert (
        model.run(names.PREDICT, {**with_age, **narrow})["score"].tolist()
        == model.run(names.PREDICT, {**with_age, **missing, **empty})["score"].tolist()
    )


def test_no_rows(model):
    assert model.run(names.SERVING_DEFAULT, {"examples": objects([])})["scores"].shape == (0,)
    assert model.run(names.PREDICT, {})["score"].shape == (0,)


def test_warnings_count_every_value_that_is_unknown(model, batch, serving):
    answer = model.run(names.PREDICT, as_raw_columns(batch, serving))

    assert answer[names.OUT_OF_VOCABULARY].tolist()[:5] == [0, 0, 0, 0, 3]
    said = [text.decode() for text in answer[names.WARNINGS].tolist()]
    assert said[2] == ""
    unknown = [f"{n} is out of vocabulary" for n in ("tags", "days", "codes")]
    assert said[4].split("; ") == unknown


def matrix(*rows):
    return np.array(rows, object if isinstance(rows[0][0], bytes) else np.float64)


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("tags", matrix([b"a", b"", b"b"]), names.MISSING_IN_LISTS),
        ("tags", matrix([b"", b"b"]), names.MISSING_IN_LISTS),
        ("tags", matrix([b"b", b"\0"]), names.MISSING_IN_LISTS),
        ("tags", matrix([b"a"] * 5), names.LISTS_TOO_LONG),
        ("days", matrix([1, NAN, 2]), names.MISSING_IN_LISTS),
        ("days", matrix([INF, 2]), names.MISSING_IN_LISTS),
        ("days", matrix([1, 2, 3, 4]), names.LISTS_TOO_LONG),
        ("days", matrix([1, 2.5]), names.NOT_INTEGERS),
        ("days", matrix([-INF]), names.NOT_INTEGERS),
    ],
)
def test_what_is_not_a_list_of_the_column_is_refused(model, column, values, said):
    with pytest.raises(TensorFlowError, match=said.replace("*", r"\*")) as refused:
        model.run(names.PREDICT, {column: values})
    assert column in str(refused.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [({"tags": ["a", ""]}, names.MISSING_IN_LISTS), ({"days": [1] * 4}, names.LISTS_TOO_LONG)],
)
def test_an_example_with_another_list_is_refused(model, serving, row, said):
    batch = pa.RecordBatch.from_pylist([row], arrow_schema(serving))
    examples = objects(as_tf_examples(batch, serving))
    with pytest.raises(TensorFlowError, match=said):
        model.run(names.SERVING_DEFAULT, {"examples": examples})


def lists_of(known):
    values = st.sampled_from(known) | st.just(UNSEEN if isinstance(known[0], str) else 999)
    return st.none() | st.lists(values, max_size=2)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"tags": lists_of(["Cash", "日本"]), "days": lists_of([1, 2]), "codes": lists_of(["a"])}
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=50, deadline=None)
def test_any_lists_have_the_ids_that_the_vocabularies_say(model, serving, exported_lists, rows):
    from components.export.terms import read_terms

    batch = pa.RecordBatch.from_pylist(rows, arrow_schema(serving))
    terms = read_terms(exported_lists.transform_graph, exported_lists.layout)
    examples = objects(as_tf_examples(batch, serving))
    features = model.run(names.TRANSFORM_FEATURES, {"examples": examples})
    for name in LISTS:
        numbers = {term: place for place, term in enumerate(terms[name], start=1)}
        for row, given_ids in zip(rows, ids(features[f"{name}_id"]), strict=True):
            values = row[name]
            if values is None:
                assert given_ids == [0]
                continue
            assert len(given_ids) == len(values)
            for value, number in zip(map(str, values), given_ids, strict=True):
                assert number == numbers.get(value, number)
                assert (number > len(numbers)) == (value not in numbers)
    of_examples = model.run(names.SERVING_DEFAULT, {"examples": examples})["scores"]
    of_columns = model.run(names.RAW_COLUMNS, as_raw_columns(batch, serving))["scores"]
    np.testing.assert_allclose(of_columns, of_examples, rtol=1e-6)
