"""Requests and answers with a model that needs no TensorFlow: paths, methods, codes."""

import asyncio
import gc
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.serve.app import App, patience
from components.serve.failures import RequestError
from components.serve.messages import Exchange, Request
from tests.unit.components.serve.asking import answered

ROW = {"fare": 12.5, "trips": 3, "company": "Blue"}
MODEL = "/v1/models/taxi"


@pytest.fixture
def ask(make_service):
    """Send one request to a new server; return status and parsed body."""

    def call(method, path, document=None, *, raw=None, timeout=None, authorization=None, **options):
        async def main():
            service = await make_service(**options)
            body = json.dumps(document).encode() if raw is None else raw
            answer = await answered(
                App(service), Request(method, path, body, timeout, authorization)
            )
            await service.models.close()
            return answer

        answer = asyncio.run(main())
        assert answer.content_type == "application/json"
        return answer.status, json.loads(answer.body)

    return call


def test_each_method_is_answered(ask):
    scored = {"predictions": [{"logits": 12.5, "scores": 25.0}]}
    for path in (MODEL, f"{MODEL}/versions/3", "/V1/Models/taxi"):
        assert ask("POST", f"{path}:predict", {"instances": [ROW]}) == (200, scored)
    columns = {name: [value] for name, value in ROW.items()}
    assert ask("POST", f"{MODEL}:predict", {"inputs": columns}) == (
        200,
        {"outputs": {"logits": [12.5], "scores": [25.0]}},
    )
    document = {"signature_name": "regression", "examples": [{}]}
    assert ask("POST", f"{MODEL}:regress", document) == (200, {"results": [2.0]})
    document["signature_name"] = "classification"
    assert ask("POST", f"{MODEL}:classify", document) == (
        200,
        {"results": [[["", 0.25], ["", 0.75]]]},
    )


def test_status_and_metadata_describe_what_is_served(ask):
    status, body = ask("GET", MODEL)
    assert status == 200
    assert body["model_version_status"] == [
        {
            "version": "3",
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
    ]
    status, body = ask("GET", f"{MODEL}/versions/3/metadata")
    assert body["model_spec"] == {"name": "taxi", "signature_name": "", "version": "3"}
    described = body["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert described["method_name"] == "tensorflow/serving/predict"
    assert described["inputs"]["fare"] == {
        "dtype": "DT_FLOAT",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False},
        "name": "t:0",
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/", 404, "no page here"),
        ("GET", "/etc/passwd", 404, "nothing"),
        ("POST", "/healthz", 404, "nothing"),
        ("GET", f"{MODEL}:predict", 400, "malformed request: GET"),
        ("PUT", MODEL, 400, "malformed request: PUT"),
        ("POST", f"{MODEL}:guess", 400, "malformed request"),
        ("GET", "/metrics", 404, "no metrics here"),
        ("GET", f"{MODEL}/description", 404, "no model.json"),
        ("GET", "/v1/models/../../x", 400, "malformed request"),
        ("GET", "/v1/models/tax", 404, "no model 'tax'; served: 'taxi'"),
        ("POST", f"{MODEL}/versions/4:predict", 404, "no version 4; served: 3"),
        ("GET", f"{MODEL}/versions/4", 404, "no version 4; served: 3"),
        ("GET", f"{MODEL}/versions/{'9' * 30}", 400, "to a number"),
        (
            "POST",
            f"{MODEL}/labels/stable:predict",
            400,
            "label: 'stable'; the labels are: 'canary'",
        ),
    ],
)
def test_what_is_not_there_is_refused(method, path, status, message, ask):
    answered, body = ask(method, path, {"instances": [ROW]}, labels={"canary": 3})
    assert answered == status
    assert message in body["error"]


def test_requests_are_bounded_and_refused_with_their_codes(ask):
    predict = f"{MODEL}:predict"
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"document": {"instances": [ROW] * 3}, "max_rows": 2}, 413, "at most 2"),
        ({"document": {"instances": [{**ROW, "fare": -1.0}]}}, 400, "a fare is negative"),
        ({"document": {"instances": [{"fare": 1.0}]}}, 400, "lacks 'trips', 'company'"),
        ({"document": {"signature_name": "x", "instances": [1]}}, 400, "no signature 'x'"),
        ({"raw": b"{"}, 400, "JSON parse error"),
        ({"document": {"instances": [ROW]}, "timeout": "soon"}, 400, "number of seconds"),
        ({"document": {"instances": [ROW]}, "loaded": False}, 503, "being loaded"),
    ]
    for options, status, message in cases:
        answered, body = ask("POST", predict, **options)
        assert (answered, list(body)) == (status, ["error"])
        assert message in body["error"]
    status, _ = ask("POST", predict, {"instances": [{"fare": 1.0}]}, optional_columns=True)
    assert status == 200


def test_an_internal_fault_is_a_500_that_is_logged_and_reveals_nothing(ask, model, caplog):
    def broken(signature, inputs):
        raise KeyError("secret")

    model.run = broken
    status, body = ask("POST", f"{MODEL}:predict", {"instances": [ROW]})
    assert (status, body) == (500, {"error": "internal error; see the server's log"})
    assert "secret" in caplog.text


def test_readiness_follows_the_model_and_ends_with_draining(ask, make_service):
    assert ask("GET", "/healthz", loaded=False) == (200, {"status": "alive"})
    status, body = ask("GET", "/readyz", loaded=False)
    assert (status, body) == (503, {"error": "model 'taxi' is still being loaded"})
    assert ask("GET", "/readyz") == (200, {"status": "ready"})

    async def drained():
        service = await make_service()
        service.draining = True
        app = App(service)
        answers = [await answered(app, Request("GET", path)) for path in ("/readyz", "/healthz")]
        await service.models.close()
        return [answer.status for answer in answers]

    assert asyncio.run(drained()) == [503, 200]


def test_labels_and_the_list_of_models(ask):
    labels = {"stable": 3}
    document = {"instances": [ROW]}
    status, body = ask("POST", f"{MODEL}/labels/stable:predict", document, labels=labels)
    assert (status, body["predictions"][0]["scores"]) == (200, 25.0)
    assert ask("GET", f"{MODEL}/labels/stable", labels=labels)[0] == 200
    assert ask("GET", "/v1/models", labels=labels) == (
        200,
        {
            "models": [
                {
                    "name": "taxi",
                    "versions": [{"version": 3, "state": "AVAILABLE", "labels": ["stable"]}],
                    "default": 3,
                }
            ]
        },
    )


def test_what_a_version_says_of_itself_is_given_as_it_was_loaded(ask, serving):
    (serving / "3" / "model.json").write_text('{"format": 1}')
    assert ask("GET", f"{MODEL}/description") == (200, {"format": 1})


def test_a_token_is_required_if_one_is_set(ask):
    document, token = {"instances": [ROW]}, "s3cret-s3cret-s3cret"
    for path in (f"{MODEL}:predict", f"{MODEL}:guess", "/nothing"):
        for shown in (None, token, f"Basic {token}", f"Bearer {token}x", "Bearer é\udcff"):
            status, body = ask("POST", path, document, token=token, authorization=shown)
            assert (status, list(body)) == (401, ["error"])
            assert token not in body["error"]
    for path in ("/v1/models", MODEL, "/metrics"):
        assert ask("GET", path, token=token)[0] == 401
    for path in ("/healthz", "/readyz"):
        assert ask("GET", path, token=token)[0] == 200
    for scheme in ("Bearer", "bearer"):
        shown = f"{scheme} {token}"
        assert ask("POST", f"{MODEL}:predict", document, token=token, authorization=shown)[0] == 200


def test_observers_receive_every_exchange_once(ask):
    class Notes(list[Exchange]):
        answered = list.append

    notes = Notes()
    ask("POST", f"{MODEL}:predict", {"instances": [ROW, ROW]}, observers=[notes])
    ask("POST", f"{MODEL}:predict", {"instances": [{**ROW, "fare": -1.0}]}, observers=[notes])
    ask("POST", "/v1/models/other:predict", {}, observers=[notes])
    ask("GET", "/nothing", observers=[notes])
    ask("GET", "/healthz", observers=[notes])
    said = [(n.method, n.model, n.version, n.signature, n.rows, n.status) for n in notes]
    assert said == [
        ("predict", "taxi", 3, "serving_default", 2, 200),
        ("predict", "taxi", 3, "serving_default", 1, 400),
        ("predict", "", None, "", 0, 404),
        ("", "", None, "", 0, 404),
        ("healthz", "", None, "", 0, 200),
    ]
    first, second = notes[:2]
    assert first.inputs is not None
    assert first.outputs is not None
    assert (first.protocol, first.seconds > 0) == ("rest", True)
    assert first.inputs["fare"].tolist() == [12.5, 12.5]
    assert first.outputs["scores"].tolist() == [25.0, 25.0]
    assert (second.inputs, second.outputs) == (None, None)


def test_a_client_may_wait_less_but_not_longer_than_the_server_lets_it():
    assert patience(None, 30.0) == 30.0
    assert patience("0.5", 30.0) == 0.5
    assert patience("1e9", 30.0) == 30.0
    for wrong in ("0", "-1", "nan", "", "1s"):
        with pytest.raises(RequestError):
            patience(wrong, 30.0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(["predict", "classify", "regress"]),
    st.binary(max_size=40) | st.text(alphabet='{}[]":,0N\\a.instaceu').map(str.encode),
)
def test_malformed_bodies_give_nothing_but_a_4xx_error(ask, method, raw):
    status, body = ask("POST", f"{MODEL}:{method}", raw=raw)
    assert 400 <= status < 500
    assert list(body) == ["error"]
    assert body["error"]


LARGE = [ROW] * 2_000  # parsed in a thread


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"instances": [{**ROW, "fare": -1}]}, id="by the graph"),
        pytest.param({"instances": [*LARGE, {**ROW, "fare": -1}]}, id="by the graph, of many rows"),
        pytest.param({"instances": [*LARGE, {}]}, id="where many rows are read"),
    ],
)
def test_a_refusal_leaves_no_rubbish(make_service, document):
    """Cyclic garbage would let the memory of a server with many refusals grow for long."""
    request = Request("POST", f"{MODEL}:predict", json.dumps(document).encode())

    async def main():
        service = await make_service()
        app = App(service)
        refused = {(await answered(app, request)).status}
        gc.collect()
        gc.disable()
        try:
            for _ in range(50):
                refused.add((await answered(app, request)).status)
            rubbish = gc.collect()
        finally:
            gc.enable()
            await service.models.close()
        return refused, rubbish

    refused, rubbish = asyncio.run(main())
    assert refused == {400}
    assert rubbish < 50
