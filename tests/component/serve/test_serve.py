"""The server's answers equal those of the SavedModel when it is called directly, bit by bit."""

import base64
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from components.encoded_examples import as_tf_examples
from components.export.signatures import argument_names
from components.serve import tf_examples
from components.serve.failures import RequestError

pytestmark = pytest.mark.component

PREDICT, CLASSIFY, REGRESS = (
    f"/v1/models/tiny:{method}" for method in ("predict", "classify", "regress")
)


def serving(exported):
    return tuple(column for column in exported.columns if column.serving)


def lists(columns):
    """Return columns as JSON values."""
    return {
        name: [v.decode() if isinstance(v, bytes) else v for v in values.tolist()]
        for name, values in columns.items()
    }


def rows_of(columns):
    values = lists(columns)
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


def json_examples(batch):
    """Return rows for :classify: missing values are omitted."""
    return [{k: v for k, v in row.items() if v is not None} for row in batch.to_pylist()]


def assert_scores(answers, scores):
    for name, values in scores.items():
        np.testing.assert_array_equal(np.float32([a[name] for a in answers]), values, strict=True)


def test_a_row_is_explained_as_it_is_scored(server, columns):
    ask, (row, *_) = f"{PREDICT[:-8]}:explain", rows_of(columns)
    status, answer = server.ask("POST", ask, {"instances": [row]})
    assert status == 200, answer
    (found,) = answer["explanations"]
    total = found["base"][0] + sum(each["adds"][0] for each in found["contributions"])
    assert total == pytest.approx(found["answer"]["logits"], abs=1e-5)
    status, answer = server.ask("POST", ask, {"instances": [{"agee": 1}]})
    assert (status, "agee" in answer["error"]) == (400, True)


def test_rows_and_columns_are_scored_as_by_the_model(server, columns, scores):
    body = {"signature_name": "raw_columns", "instances": rows_of(columns)}
    status, answer = server.ask("POST", PREDICT, body)
    assert status == 200, answer
    assert_scores(answer["predictions"], scores)

    body = {"signature_name": "raw_columns", "inputs": lists(columns)}
    status, answer = server.ask("POST", f"/v1/models/tiny/versions/1{PREDICT[-8:]}", body)
    assert status == 200, answer
    for name, values in scores.items():
        np.testing.assert_array_equal(np.float32(answer["outputs"][name]), values)


def test_a_session_scores_as_the_eager_model_does(exported, columns, scores):
    import tensorflow as tf

    model = tf.saved_model.load(exported.saved_model)
    arguments = argument_names(columns)
    outputs = model.signatures["raw_columns"](
        **{arguments[name]: tf.constant(v) for name, v in columns.items()}
    )
    for name, tensor in outputs.items():
        # Graph optimisers differ, and with them the last bit of a matrix product.
        np.testing.assert_allclose(tensor.numpy(), scores[name], rtol=1e-6, atol=1e-7)


def test_serialised_examples_are_scored_as_by_the_model(server, exported, batch, scores):
    examples = as_tf_examples(batch, serving(exported))
    values = [{"b64": base64.b64encode(example).decode()} for example in examples]
    status, answer = server.ask("POST", PREDICT, {"instances": values})
    assert status == 200, answer
    assert_scores(answer["predictions"], scores)


def test_json_examples_are_classified_and_regressed_as_by_the_model(server, batch, scores):
    body = {"signature_name": "regression", "examples": json_examples(batch)}
    status, answer = server.ask("POST", REGRESS, body)
    assert status == 200, answer
    np.testing.assert_array_equal(np.float32(answer["results"]), scores["scores"])

    body["signature_name"] = "classification"
    status, answer = server.ask("POST", CLASSIFY, body)
    assert status == 200, answer
    assert [[label for label, _ in pairs] for pairs in answer["results"]] == [["0", "1"]] * len(
        scores["scores"]
    )
    of_one = np.float32([pairs[1][1] for pairs in answer["results"]])
    np.testing.assert_array_equal(of_one, scores["scores"])


def test_transformed_features_are_given_with_their_types(server, exported, batch):
    import tensorflow as tf

    examples = as_tf_examples(batch, serving(exported))
    body = {
        "signature_name": "transform_features",
        "inputs": [{"b64": base64.b64encode(e).decode()} for e in examples],
    }
    status, answer = server.ask("POST", PREDICT, body)
    assert status == 200, answer
    model = tf.saved_model.load(exported.saved_model)
    direct = model.signatures["transform_features"](examples=tf.constant(examples))
    assert answer["outputs"].keys() == direct.keys()
    for name, tensor in direct.items():
        values = tensor.numpy()
        np.testing.assert_array_equal(np.array(answer["outputs"][name], values.dtype), values)


def test_requests_asked_at_once_get_each_their_own_answer(server, columns, scores):
    rows = rows_of(columns)

    def ask(at):
        several = [rows[(at + i) % len(rows)] for i in range(1 + at % 3)]
        body = {"signature_name": "raw_columns", "instances": several}
        status, answer = server.ask("POST", PREDICT, body)
        return status, [prediction["scores"] for prediction in answer["predictions"]]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(200)))
    for at, (status, given) in enumerate(answers):
        assert status == 200
        expected = [scores["scores"][(at + i) % len(rows)] for i in range(1 + at % 3)]
        # Another batch size may change the rounding of a matrix product's last bit.
        np.testing.assert_allclose(given, expected, rtol=1e-6)


def test_what_the_graph_refuses_is_a_400_and_fails_nobody_else(server, columns):
    rows = rows_of(columns)
    good = {"signature_name": "raw_columns", "instances": rows[:1]}
    bad = {"signature_name": "raw_columns", "instances": [{**rows[0], "age": 2.5}]}

    def ask(body):
        return server.ask("POST", PREDICT, body)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, [good, bad] * 20))
    assert [status for status, _ in answers] == [200, 400] * 20
    error = answers[1][1]["error"]
    assert error.startswith("instances[0], input 'age': 2.5, expected a whole number within ±2**53")


@pytest.mark.parametrize("signature", ["serving_default", "transform_features"])
def test_bytes_that_are_not_an_example_are_refused_by_row(server, signature):
    junk = {"b64": base64.b64encode(b"junk!!").decode()}
    problem = "input 'examples': 6 bytes that are not a tf.Example, expected a serialised one"
    for asked, row in (({"instances": ["", junk]}, "instances[1]"), ({"inputs": [junk]}, "row 0")):
        status, answer = server.ask("POST", PREDICT, {"signature_name": signature, **asked})
        assert (status, answer["error"]) == (400, f"{row}, {problem}")


def test_refusals_name_row_and_column(server, columns):
    rows = rows_of(columns)
    without = {name: value for name, value in rows[1].items() if name != "Fare ($)"}
    cases = [
        ([rows[0], without], "instances[1] lacks 'Fare ($)'"),
        ([{**rows[0], "tips": 1.0}], "instances[0] has an unknown input 'tips'"),
        ([{**rows[0], "naïve": None}], "instances[0], input 'naïve': null"),
        ([{**rows[0], "age": "3"}], "instances[0], input 'age': '3'"),
        ([rows[0], {**rows[0], "age": 2.5}], "instances[1], input 'age': 2.5, expected a whole"),
    ]
    for instances, message in cases:
        body = {"signature_name": "raw_columns", "instances": instances}
        status, answer = server.ask("POST", PREDICT, body)
        assert status == 400
        assert message in answer["error"]
    status, answer = server.ask("POST", CLASSIFY, {"examples": [{}]})
    assert status == 400
    assert "'signature_name' may be: classification" in answer["error"]


def test_refusals_of_columns_name_the_row_too(server, columns):
    for age, message in ((2.5, "2.5, expected a whole number"), (None, "null, expected a number")):
        inputs = lists(columns)
        inputs["age"][3] = age
        body = {"signature_name": "raw_columns", "inputs": inputs}
        status, answer = server.ask("POST", PREDICT, body)
        assert status == 400
        assert answer["error"].startswith(f"row 3, input 'age': {message}")


def test_the_signature_that_takes_the_columns_is_named(server, columns):
    for body in ({"instances": rows_of(columns)}, {"inputs": lists(columns)}):
        status, answer = server.ask("POST", PREDICT, body)
        assert status == 400
        assert "without 'signature_name', the signature is 'serving_default'" in answer["error"]
        assert answer["error"].endswith("'signature_name' may be: predict, raw_columns")
    status, answer = server.ask("POST", PREDICT, {**body, "signature_name": "regression"})
    assert "the signature is 'regression': for these inputs" in answer["error"]


@pytest.mark.parametrize(
    ("features", "problem"),
    [
        ({"age": [1, 2]}, "feature 'age': 2 values, expected at most 1 value of DT_INT64"),
        ({"Fare ($)": [1.0, 2.0]}, "feature 'Fare ($)': 2 values, expected at most 1 value of"),
        ({"age": 12.5}, "feature 'age': 12.5, expected a whole number for DT_INT64"),
        ({"naïve": 3}, "feature 'naïve': 3, expected a string"),
        ({"Fare ($)": True}, "feature 'Fare ($)': true, expected a number for DT_FLOAT"),
    ],
)
@pytest.mark.parametrize(
    ("path", "signature"), [(CLASSIFY, "classification"), (REGRESS, "regression")]
)
def test_features_that_do_not_fit_are_named(server, path, signature, features, problem):
    body = {"signature_name": signature, "examples": [{}, features]}
    status, answer = server.ask("POST", path, body)
    assert status == 400
    assert answer["error"].startswith(f"examples[1], {problem}")


def test_numbers_of_a_program_that_writes_no_point_are_those_with_one(server):
    def asked(example):
        body = {"signature_name": "regression", "examples": [example]}
        status, answer = server.ask("POST", REGRESS, body)
        assert status == 200, answer
        return answer

    assert asked({"Fare ($)": 25_000_000}) == asked({"Fare ($)": 25e6})
    assert asked({"age": 4.0}) == asked({"age": 4})
    assert asked({"age": float("nan")}) == asked({})


def test_status_and_metadata_describe_the_export(server):
    status, answer = server.ask("GET", "/v1/models/tiny")
    assert (status, answer["model_version_status"][0]["state"]) == (200, "AVAILABLE")
    status, answer = server.ask("GET", "/v1/models/tiny/metadata")
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    assert signatures["raw_columns"]["inputs"]["age"]["dtype"] == "DT_DOUBLE"
    assert signatures["raw_columns"]["inputs"]["Fare ($)"]["tensor_shape"]["dim"] == [
        {"size": "-1", "name": ""}
    ]
    assert signatures["classification"]["method_name"] == "tensorflow/serving/classify"
    assert server.ask("GET", "/v1/models/other")[0] == 404


def test_columns_left_out_are_missing_values_and_the_server_ends_in_peace(lenient, columns, server):
    whole = rows_of({**columns, "age": np.full_like(columns["age"], np.nan)})
    partly = [{k: v for k, v in row.items() if k != "age"} for row in whole]
    status, answer = lenient.ask(
        "POST", PREDICT, {"signature_name": "raw_columns", "instances": partly}
    )
    assert status == 200, answer
    body = {"signature_name": "raw_columns", "instances": whole}
    assert answer == server.ask("POST", PREDICT, body)[1]
    assert lenient.ask("GET", "/readyz") == (200, {"status": "ready"})
    assert lenient.stop() == 0


def test_json_examples_are_the_protos_they_are_read_as(exported):
    import tensorflow as tf

    from components.serve.model import SavedModelBundle

    signature = SavedModelBundle(exported.saved_model).signatures["classification"]
    # Features that are unknown to the graph have their JSON type.
    rows = [{"a": [1, -(2**63)], "é": 0.1, "c": ["x", {"b64": "AA=="}], "d": [], "e": True}]
    (serialised,) = tf_examples.parse({"examples": rows}, signature)["inputs"]
    features = tf.train.Example.FromString(serialised).features.feature
    assert list(features["a"].int64_list.value) == [1, -(2**63)]
    assert list(features["é"].float_list.value) == [float(np.float32(0.1))]
    assert list(features["c"].bytes_list.value) == [b"x", b"\x00"]
    assert features["d"].WhichOneof("kind") is None
    assert list(features["e"].int64_list.value) == [1]


def test_a_folder_without_a_graph_is_a_model_error(tmp_path):
    from components.serve.model import SavedModelBundle
    from schemas.errors import ModelError

    (tmp_path / "saved_model.pb").write_bytes(b"no graph")
    with pytest.raises(ModelError, match="does not load"):
        SavedModelBundle(str(tmp_path))


def test_the_model_refuses_with_a_request_error(exported, columns):
    from components.serve.model import SavedModelBundle

    model = SavedModelBundle(exported.saved_model)
    assert model.signatures["raw_columns"].left_out.keys() == columns.keys()
    with pytest.raises(RequestError, match="integers") as caught:
        model.run("raw_columns", {**columns, "age": columns["age"] + 0.5})
    assert caught.value.status == 400
