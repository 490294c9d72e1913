"""The server with columns of lists: ragged JSON, padded tensors, Examples, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest

from components.encoded_examples import as_tf_examples
from components.examples import arrow_schema, as_raw_columns
from components.export.signatures import serving_columns

pytestmark = pytest.mark.component

LISTS: list[dict[str, Any]] = [
    {"tags": ["Cash", "日本", "Cash"], "days": [1, 2], "codes": ["a"], "age": 3},
    {"tags": [], "days": [], "codes": [], "age": 3},
    {"tags": None, "days": None, "codes": None, "age": 3},
    {"tags": ["never seen"], "days": [2**53], "codes": ["b", "b"], "age": 3},
    {"tags": ["日本", "Cash", "Cash"], "days": [2, 1], "codes": ["a"], "age": 3},
]


@pytest.fixture(scope="module")
def columns(exported_lists):
    return serving_columns(exported_lists.columns, exported_lists.layout)


@pytest.fixture(scope="module")
def batch(columns):
    return pa.RecordBatch.from_pylist(LISTS, arrow_schema(columns))


@pytest.fixture(scope="module")
def server(exported_lists, serving):
    with serving(exported_lists.saved_model, "--name", "tiny", "--optional-columns") as server:
        yield server


@pytest.fixture(scope="module")
def expected(exported_lists, batch, columns, scores_of):
    """Scores by the SavedModel in a session of this process."""
    return scores_of(exported_lists.saved_model, as_raw_columns(batch, columns))["scores"].tolist()


def predict(server, **body):
    return server.ask("POST", "/v1/models/tiny:predict", {"signature_name": "predict", **body})


def scores(answer):
    status, body = answer
    assert status == 200, body
    rows = body["predictions"] if "predictions" in body else body["outputs"]["score"]
    return [row["score"] if isinstance(row, dict) else row for row in rows]


def test_rows_and_columns_have_ragged_lists(server, expected):
    of_rows = scores(predict(server, instances=LISTS))
    of_columns = scores(predict(server, inputs={n: [row[n] for row in LISTS] for n in LISTS[0]}))

    assert of_rows == pytest.approx(expected, rel=1e-6)
    assert of_columns == of_rows
    assert len(set(of_rows[:4])) == 4
    assert of_rows[4] == pytest.approx(of_rows[0], rel=1e-6)


def test_a_row_alone_and_without_its_missing_lists(server, expected):
    for row, score in zip(LISTS, expected, strict=True):
        given = {name: value for name, value in row.items() if value is not None}
        assert scores(predict(server, instances=[given])) == pytest.approx([score], rel=1e-6)


def test_padding_as_tensorflow_serving_needs_it_is_accepted(server, batch, columns, expected):
    raw = as_raw_columns(batch, columns)
    padded = {
        name: [[v.decode() if isinstance(v, bytes) else v for v in row] for row in array.tolist()]
        for name, array in raw.items()
        if array.ndim == 2
    }
    answer = predict(server, inputs={**padded, "age": raw["age"].tolist()})
    assert scores(answer) == pytest.approx(expected, rel=1e-6)


def test_requests_of_other_widths_are_joined(server, expected):
    with ThreadPoolExecutor(8) as threads:
        asked = [LISTS[i % len(LISTS)] for i in range(64)]
        answers = threads.map(lambda row: scores(predict(server, instances=[row])), asked)
    for i, answer in enumerate(answers):
        assert answer == pytest.approx([expected[i % len(LISTS)]], rel=1e-6)


def test_examples_in_json(server, expected):
    path = "/v1/models/tiny:regress"
    body = {"signature_name": "regression", "examples": LISTS}
    status, answer = server.ask("POST", path, body)
    assert status == 200, answer
    assert answer["results"] == pytest.approx(expected, rel=1e-6)


def test_grpc_takes_padded_tensors_and_examples(server, batch, columns, expected):
    import grpc
    from tensorflow import make_tensor_proto
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "tiny", "predict"
    for name, array in as_raw_columns(batch, columns).items():
        request.inputs[name].CopyFrom(make_tensor_proto(array))
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        answer = stub.Predict(request, timeout=60)
        assert list(answer.outputs["score"].float_val) == pytest.approx(expected, rel=1e-6)
        request.model_spec.signature_name = "serving_default"
        request.inputs.clear()
        request.inputs["examples"].CopyFrom(make_tensor_proto(as_tf_examples(batch, columns)))
        answer = stub.Predict(request, timeout=60)
        assert list(answer.outputs["scores"].float_val) == pytest.approx(expected, rel=1e-6)


GOOD = LISTS[0]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (
            {"tags": "Cash"},
            "instances[1], input 'tags': 'Cash', expected a list of values, or null",
        ),
        ({"tags": 5}, "instances[1], input 'tags': 5, expected a list of values, or null"),
        ({"tags": ["a", 5]}, "instances[1], input 'tags': 5, expected a string"),
        ({"tags": ["a", None]}, "instances[1], input 'tags': null, expected a string"),
        ({"tags": ["a", ["b"]]}, "instances[1], input 'tags': a list, expected a string"),
        ({"tags": ["a"] * 5}, "instances[1], input 'tags': a list of 5 values, expected at most 4"),
        ({"tags": ["a", "", "b"]}, "instances[1], input 'tags': a missing value within a list"),
        ({"days": [1, 2.5]}, "instances[1], input 'days': 2.5, expected a whole number"),
        ({"days": [True]}, "instances[1], input 'days': true, expected a number"),
        ({"days": [1, None]}, "instances[1], input 'days': null, expected a number"),
        ({"days": {}}, "instances[1], input 'days': an object, expected a list of values, or null"),
        ({"age": [1, 2]}, "instances[1], input 'age': shape [2]"),
    ],
)
def test_what_is_not_a_list_of_the_column_is_refused(server, bad, said):
    status, body = predict(server, instances=[GOOD, {**GOOD, **bad}])
    assert status == 400
    assert said in body["error"]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"days": [1] * 4}, "examples[1], feature 'days': 4 values, expected at most 3 values"),
        ({"days": [1, float("nan")]}, "examples[1], feature 'days'"),
        ({"tags": ["a", ""]}, "examples[1], refused by the graph"),
    ],
)
def test_an_example_with_another_list_is_refused(server, bad, said):
    body = {"signature_name": "regression", "examples": [GOOD, {**GOOD, **bad}]}
    status, answer = server.ask("POST", "/v1/models/tiny:regress", body)
    assert status == 400
    assert said in answer["error"]
