"""Thousands of malformed requests are refused with a reason, and do not harm the server.

SKEWLESS_FUZZ_REQUESTS sets their number. All are drawn by hypothesis from fixed seeds, so failures
are reproducible, and the smallest failing batch is printed.
"""

import json
import os

import grpc
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from components.serve import grpc_names
from tests.component.serve.fuzz import dear, protos, raw, rest
from tests.component.serve.fuzz.server import serving
from tests.component.serve.fuzz.wire import SECONDS, Wire

pytestmark = pytest.mark.component

REQUESTS = int(os.environ.get("SKEWLESS_FUZZ_REQUESTS", "3000"))
BATCH = 20  # concurrent requests
WARM_UP = 0.2  # the share of requests before memory is measured
MOST_GROWTH = 24 << 20  # bytes, whatever the number of requests
MOST_TEXT = 20_000  # bytes of an error: none repeats a long request
SLOW = 30  # clients that never finish a request, but begin with one of these
STARTS = [b"", b"P", b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: t"]

RAW = "raw_columns"
UNSUPPORTED = (501, 505)  # for a Transfer-Encoding and a version of HTTP, by RFC 9112
# gRPC's message if a server has failed, but never if a client has.
FAULTS = {"INTERNAL", "UNKNOWN", "UNAVAILABLE", "DEADLINE_EXCEEDED", "DATA_LOSS", "CANCELLED"}


@pytest.fixture(scope="module")
def server(exported, tmp_path_factory):
    """A server that all tests of this file share, and whose log is empty at the end."""
    log = tmp_path_factory.mktemp("fuzz") / "log"
    with serving(exported.saved_model, log) as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def slow(server):
    """Connections that send the start of a request, and then nothing, during all tests."""
    wires = [Wire(server.http) for _ in range(SLOW)]
    for number, wire in enumerate(wires):
        wire.send(STARTS[number % len(STARTS)])
    last = Wire(server.http)  # once it is answered, the earlier ones are counted
    last.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert last.answer().status == 200
    last.close()
    yield wires
    for wire in wires:
        wire.close()


@pytest.fixture(scope="module")
def documents(rows):
    """Correct requests: paths and documents."""
    two = rows[:2]
    columns = {name: [row[name] for row in two] for name in two[0]}
    by_method = [
        ("predict", {"signature_name": RAW, "instances": two}),
        ("predict", {"signature_name": RAW, "inputs": columns}),
        ("predict", {"instances": [{"b64": ""}, {"b64": "CgA="}]}),
        ("classify", {"signature_name": "classification", "examples": two, "context": {"age": 3}}),
        ("regress", {"signature_name": "regression", "examples": [{"naïve": ["Cash"]}, {}]}),
    ]
    return [(f"{rest.MODEL}:{method}", document) for method, document in by_method]


@pytest.fixture(scope="module")
def messages(columns):
    """Correct gRPC requests: names of methods and messages."""
    import tensorflow as tf
    from tensorflow_serving.apis import (
        classification_pb2,
        get_model_metadata_pb2,
        get_model_status_pb2,
        inference_pb2,
        model_management_pb2,
        predict_pb2,
        regression_pb2,
    )

    def named(message, signature=""):
        message.model_spec.name, message.model_spec.signature_name = "tiny", signature
        return message

    by_value, by_content = (named(predict_pb2.PredictRequest(), RAW) for _ in range(2))
    for name, values in columns.items():
        by_content.inputs[name].CopyFrom(tf.make_tensor_proto(values[:2]))
        by_value.inputs[name].CopyFrom(tf.make_tensor_proto(values[:1]))
    regress = named(regression_pb2.RegressionRequest(), "regression")
    for _ in range(2):
        example = regress.input.example_list.examples.add()
        example.features.feature["age"].int64_list.value.append(3)
        example.features.feature["naïve"].bytes_list.value.append(b"Cash")
    classify = named(classification_pb2.ClassificationRequest(), "classification")
    listed = classify.input.example_list_with_context
    listed.examples.add().CopyFrom(regress.input.example_list.examples[0])
    listed.context.features.feature["self"].float_list.value.append(0.5)
    both = inference_pb2.MultiInferenceRequest(input=regress.input)
    for method, message in (("regress", regress), ("classify", classify)):
        task = both.tasks.add(method_name=f"tensorflow/serving/{method}")
        task.model_spec.CopyFrom(message.model_spec)
    metadata = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    reload = model_management_pb2.ReloadConfigRequest()
    config = reload.config.model_config_list.config.add(name="tiny")
    config.model_version_policy.specific.versions.append(1)
    config.version_labels["stable"] = 1
    return [
        (grpc_names.PREDICT, by_value),
        (grpc_names.PREDICT, by_content),
        (grpc_names.REGRESS, regress),
        (grpc_names.CLASSIFY, classify),
        (grpc_names.MULTI_INFERENCE, both),
        (grpc_names.GET_MODEL_METADATA, named(metadata)),
        (grpc_names.GET_MODEL_STATUS, named(get_model_status_pb2.GetModelStatusRequest())),
        (grpc_names.RELOAD_CONFIG, reload),
    ]


def fuzz(server, requests, ask, share, hang_up=lambda: None):
    """Send this share of all requests; the server's use must not grow after the first ones."""
    files = server.use().files
    _ask_all(requests, ask, share * WARM_UP, number=1)
    hang_up()
    before = server.settled(files)
    _ask_all(requests, ask, share * (1 - WARM_UP), number=2)
    hang_up()
    after = server.settled(files)
    grows_not(before, after, files)


def grows_not(before, after, files):
    """Check that a server uses no more than before; `files` is what it had settled to."""
    growth = (after.memory - before.memory) >> 20
    print(f"{before.memory >> 20} MB, then {growth:+} MB")
    assert after.memory - before.memory <= MOST_GROWTH
    # It looks into its folder every second, so `before` may have one less by chance.
    assert after.files <= max(before.files, files)
    assert after.threads <= before.threads + 4  # gRPC's own pool varies


def _ask_all(requests, ask, share, number):
    @seed(number)
    @settings(
        max_examples=max(1, round(share * REQUESTS / BATCH)),
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(requests, min_size=BATCH, max_size=BATCH))
    def of_one_batch(batch):
        ask(batch)

    of_one_batch()


def check(asked, answer, *, hurried=False):
    """Check that an answer is complete, or a refusal with a reason."""
    refused = answer.status < 500 or answer.status in UNSUPPORTED
    assert refused or (answer.status == 504 and hurried), (asked, answer)
    if answer.status >= 400 and answer.body:
        error = json.loads(answer.body)
        assert list(error) == ["error"], (asked, answer)
        assert error["error"], (asked, answer)
        assert len(answer.body) <= MOST_TEXT, (asked, len(answer.body))


def check_refusal(asked, error):
    """Check that gRPC refuses with a reason, and has not failed."""
    code, details = error.code().name, error.details()
    assert code not in FAULTS, (asked, code, details)
    assert 0 < len(details) <= MOST_TEXT, (asked, code, details)


class Wires:
    """Persistent connections, one for each request of a batch."""

    def __init__(self, port):
        self._port = port
        self._free = []

    def ask(self, batch):
        """Send a whole batch at once; yield each request with its answer."""
        used = [self._free.pop() if self._free else Wire(self._port) for _ in batch]
        try:
            for wire, asked in zip(used, batch, strict=True):
                wire.send(asked.data)
            for asked in batch:
                answer = used[0].answer(head=asked.method == "HEAD")
                assert answer is not None, f"closed without an answer: {asked}"
                wire = used.pop(0)
                if answer.headers.get("connection") == "close":
                    wire.close()
                else:
                    self._free.append(wire)
                yield asked, answer
        finally:  # answers of a failed batch must not go to the next one
            self._close(used)

    def close(self):
        """Close them all."""
        self._close(self._free)

    @staticmethod
    def _close(wires):
        while wires:
            wires.pop().close()


def test_rest(server, documents):
    wires = Wires(server.http)

    def ask(batch):
        for asked, answer in wires.ask(batch):
            check(asked, answer, hurried=asked.hurried)

    fuzz(server, rest.requests(documents), ask, 0.4, wires.close)


def test_bytes_that_may_be_no_http(server):
    def ask(batch):
        wires = [Wire(server.http) for _ in batch]
        for wire, sent in zip(wires, batch, strict=True):
            for piece in sent.pieces:
                wire.send(piece)
            wire.end()
        for wire, sent in zip(wires, batch, strict=True):
            for answer in wire.answers():
                check(sent, answer)
            wire.close()

    fuzz(server, raw.connections, ask, 0.35)


def test_grpc(server, messages):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc}") as channel:

        def ask(batch):
            calls = [
                channel.unary_unary(asked.method).future(
                    asked.body, timeout=SECONDS, metadata=asked.metadata
                )
                for asked in batch
            ]
            for asked, call in zip(batch, calls, strict=True):
                error = call.exception()
                if error is not None:
                    check_refusal(asked, error)

        ask([protos.Asked(messages[0][0], messages[0][1].SerializeToString())])
        fuzz(server, protos.requests(messages), ask, 0.25)


def test_rest_requests_that_would_cost_much(server):
    def ask():
        for status, data in dear.rest_requests():
            wire = Wire(server.http)
            wire.send(data)
            answer = wire.answer()
            check(data[:200], answer)
            assert answer.status == status, (data[:200], answer)
            wire.close()

    files = server.use().files
    for _ in range(2):  # until the allocator has all the memory that it keeps
        ask()
    before = server.settled(files)
    ask()
    grows_not(before, server.settled(files), files)


def test_grpc_requests_that_would_cost_much(server, messages):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc}") as channel:
        requests = list(dear.grpc_requests(messages))

        def ask():
            for method, body in requests:
                call = channel.unary_unary(method).future(
                    body, timeout=SECONDS, compression=grpc.Compression.Gzip
                )
                assert call.exception() is not None, method
                check_refusal((method, len(body)), call.exception())

        for _ in range(2):  # until the allocator has all the memory that it keeps
            ask()
        before = server.use()
        ask()
        grows_not(before, server.settled(before.files), before.files)


def test_the_server_is_as_it_was(server, slow, rows, scores):
    for number, wire in enumerate(slow):
        begun = bool(STARTS[number % len(STARTS)])
        assert [answer.status for answer in wire.answers()] == [408] * begun
    wire = Wire(server.http)
    body = json.dumps({"signature_name": RAW, "instances": rows}).encode()
    wire.send(b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: localhost\r\n")
    wire.send(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    answer = json.loads(wire.answer().body)
    given = np.float32([row["scores"] for row in answer["predictions"]])
    np.testing.assert_array_equal(given, scores["scores"])
    wire.close()
    # protobuf's C++ library reports text that is not UTF-8; nothing else is reported.
    lines = [line for line in server.log().splitlines() if not line.startswith("[libprotobuf")]
    assert lines == []
