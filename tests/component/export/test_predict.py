"""The signature `predict`: a row's answer, and warnings about unusual values."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from components.export import signatures as names
from schemas.expectations import Expectation
from schemas.tasks.binary import BinaryExport
from tests.component.parity.conftest import reference_of
from tests.component.parity.serving import every_path

pytestmark = pytest.mark.component

NAN = float("nan")
EXPECTATIONS = (
    Expectation(name="age", required=True, minimum=1, maximum=8),
    Expectation(name="hours-per-week", minimum=0),
    Expectation(name="Fare ($)", required=True, maximum=1000),
    Expectation(name="naïve", values=("Cash", "Crédit", "日本", "No Charge", "Bitcoin")),
    Expectation(name="a b", required=True),
    Expectation(name="tips", required=True),  # requests do not contain it
)
GOOD = {
    "age": 5.0,
    "hours-per-week": 3.5,
    "Fare ($)": 12.25,
    "naïve": "Cash",
    "a b": "Crédit",
    "a_b": "日本",
    "self": 2.0,
    "Age": "Cash",
}
# The change to a good row, the warnings it then has, and how many values are out of vocabulary.
ROWS: tuple[tuple[dict[str, float | str], str, int], ...] = (
    ({}, "", 0),
    ({"age": NAN}, "age is missing", 0),
    ({"self": NAN, "hours-per-week": NAN, "naïve": "", "a_b": ""}, "", 0),  # not required
    ({"age": 9.0}, "age is outside its domain; age is out of vocabulary", 1),
    ({"hours-per-week": -0.5}, "hours-per-week is outside its domain", 0),
    ({"Fare ($)": float("inf")}, "Fare ($) is outside its domain", 0),
    ({"naïve": "Bitcoin"}, "naïve is out of vocabulary", 1),  # in the domain, not in training
    (
        {"naïve": "cash", "a_b": "|", "Fare ($)": NAN},
        (
            "Fare ($) is missing; naïve is outside its domain; naïve is out of vocabulary; "
            "a_b is out of vocabulary"
        ),
        2,
    ),
    ({"a b": ""}, "a b is missing", 0),
)


@pytest.fixture(scope="module")
def answers():
    return BinaryExport(classes=("no", "yes, ≥"), threshold=0.35, warnings=True)


@pytest.fixture(scope="module")
def warning(exported, answers, tmp_path_factory):
    """An export that warns, moved from where it was made."""
    from components.export.export import export

    root = tmp_path_factory.mktemp("warning")
    export(
        model_dir=exported.trained,
        transform_graph_dir=exported.transform_graph,
        examples_dir=exported.examples,
        columns=exported.columns,
        label=exported.label,
        model_name="tiny",
        output=str(root / "made"),
        answers=answers,
        expectations=EXPECTATIONS,
    )
    moved = root / "über all" / "7"
    moved.parent.mkdir()
    shutil.move(root / "made", moved)
    (moved / "model.json").write_text("{}")
    (moved / "MODEL_CARD.md").write_text("# tiny")
    return str(moved)


@pytest.fixture(scope="module")
def by_c_api(warning):
    from components.parity.c_api import SavedModel

    with SavedModel(warning) as loaded:
        yield lambda raw: loaded.run(names.PREDICT, raw)


@pytest.fixture(scope="module")
def by_python(warning):
    import tensorflow as tf

    predict = tf.saved_model.load(warning).signatures[names.PREDICT]

    def ask(raw):
        arguments = names.argument_names(raw)
        answer = predict(**{arguments[name]: tf.constant(values) for name, values in raw.items()})
        return {name: tensor.numpy() for name, tensor in answer.items()}

    return ask


@pytest.fixture(params=["by_c_api", "by_python"])
def ask(request):
    return request.getfixturevalue(request.param)


def columns(rows, exported):
    """Rows of values as the columns of a request."""
    kinds = {c.name: c.kind for c in exported.columns}
    types = {"INT": np.float64, "FLOAT": np.float32}
    raw = {}
    for name in GOOD:
        values = [row[name] for row in rows]
        if kinds[name] == "BYTES":
            raw[name] = np.array([v.encode() for v in values], dtype=object)
        else:
            raw[name] = np.array(values, types[kinds[name]])
    return raw


def test_each_warning_names_its_column(ask, exported):
    raw = columns([GOOD | change for change, _, _ in ROWS], exported)
    answer = ask(raw)

    assert [text.decode() for text in answer["warnings"]] == [text for _, text, _ in ROWS]
    assert answer["out_of_vocabulary"].tolist() == [count for _, _, count in ROWS]
    assert answer["out_of_vocabulary"].dtype == np.int64


def test_the_answer_is_that_of_raw_columns(exported, ask, answers):
    from components.parity.c_api import SavedModel

    raw = columns([GOOD | change for change, _, _ in ROWS], exported)
    with SavedModel(exported.saved_model) as plain:
        scored = plain.run(names.RAW_COLUMNS, raw)
    answer = ask(raw)

    np.testing.assert_allclose(answer["score"], scored["scores"], rtol=1e-6)
    np.testing.assert_allclose(answer["logits"], scored["logits"], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(answer["probabilities"][:, 1], answer["score"], rtol=1e-6)
    np.testing.assert_allclose(answer["probabilities"].sum(axis=1), 1, rtol=1e-6)
    expected = [answers.classes[int(s >= np.float32(0.35))] for s in answer["score"]]
    assert [name.decode() for name in answer["class"]] == expected
    assert {a.dtype.name for n, a in answer.items() if n in ("score", "probabilities")} == {
        "float32"
    }


def test_classification_names_the_classes_as_predict_does(warning, exported):
    from components.encoded_examples import as_tf_examples
    from components.examples import iter_batches
    from components.parity.c_api import SavedModel

    serving = names.serving_columns(exported.columns, exported.layout)
    batch = next(iter(iter_batches(exported.examples, "test"))).slice(0, 2)
    examples = np.array(as_tf_examples(batch, serving), dtype=object)
    with SavedModel(warning) as model:
        answer = model.run(names.CLASSIFICATION, {names.INPUTS: examples})

    assert answer["classes"].tolist() == [[b"no", "yes, ≥".encode()]] * 2


def test_a_column_left_out_is_missing(by_c_api, exported):
    raw = columns([GOOD, GOOD], exported)
    del raw["age"], raw["a b"]

    assert by_c_api(raw)["warnings"].tolist() == [b"age is missing; a b is missing"] * 2


def test_no_rows_have_no_answer(ask, exported):
    answer = ask(columns([], exported))

    assert {name: values.shape for name, values in answer.items()} == {
        "score": (0,),
        "class": (0,),
        "probabilities": (0, 2),
        "logits": (0,),
        "warnings": (0,),
        "out_of_vocabulary": (0,),
    }


def test_without_the_flag_nothing_warns(exported):
    from components.parity.c_api import SavedModel

    with SavedModel(exported.saved_model) as plain:
        outputs = set(plain.signatures[names.PREDICT].outputs)
        answer = plain.run(names.PREDICT, columns([GOOD], exported))
    assert outputs == {"score", "class", "probabilities", "logits"}
    assert answer["class"][0] in (b"0", b"1")


def test_a_warning_export_is_proven(warning, exported, answers):
    from components.parity.judge import judge
    from components.parity.proof import describe
    from components.parity.question_sets import QuestionSets
    from components.parity.rows import make_rows

    serving = names.serving_columns(exported.columns, exported.layout)
    evaluation = names.evaluation_columns(exported.columns, exported.layout, exported.label)
    rows = make_rows(exported.examples, evaluation, serving, 100, {})
    sets = QuestionSets.of(rows, serving, evaluation, tuple(names.METHOD_NAMES))
    with every_path(warning, sets) as answered:
        proof = judge(answered, reference_of(exported, rows, answers), rows)
    assert proof.proven, describe(proof)
    name = "REST classify, regress: classification"
    classified = next(result for result in proof.questions if result.name == name)
    assert classified.values > 0
