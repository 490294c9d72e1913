"""Versions are swapped, rolled back and stopped under load: nothing is lost or mixed."""

import contextlib
import http.client
import itertools
import json
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

pytestmark = pytest.mark.component

PATH = "/v1/models/tiny:predict"
THREADS = 4
PAUSE = (
    0.005  # seconds between a thread's requests, so that loading gets its share of the processor
)
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
CONFIG = """
model_config_list {{ config {{
  name: "tiny" base_path: "{path}" model_version_policy {{ {policy} }}
}} }}
"""


@pytest.fixture(scope="module")
def both(exported_again, scores, columns, scores_of):
    """The correct answers of each version."""
    right = {1: scores["scores"], 2: scores_of(exported_again, columns)["scores"]}
    assert np.abs(right[1] - right[2]).min() > 1e-3
    return right


class Load:
    """Threads that send requests until they are stopped.

    Attributes:
      seen: the version of each answer, or the error.
    """

    def __init__(self, server, rows, both, ask):
        self.seen = []
        self.stopping = threading.Event()
        self._news = threading.Condition()
        self._server, self._rows, self._both, self._ask = server, rows, both, ask

    def run(self, number):
        """Send another row each time, and record which version answers."""
        with self._ask(self._server, self._rows) as ask:
            for at in itertools.count(number):
                if self.stopping.wait(PAUSE):
                    return
                row = at % len(self._rows)
                answer = ask(row)
                with self._news:
                    self.seen.append(self._version(answer, row))
                    self._news.notify_all()

    def wait_for(self, version, answers=20):
        """Wait until this version gave the last answers."""
        with self._news:
            assert self._news.wait_for(
                lambda: self.seen[-answers:] == [version] * answers, timeout=60
            ), self.seen[-answers:]

    def _version(self, answer, row):
        # Rows of several requests are computed together, which may change the last bit's rounding.
        close = [v for v, right in self._both.items() if np.isclose(answer, right[row], rtol=1e-5)]
        return close[0] if len(close) == 1 else answer


@contextlib.contextmanager
def rest(server, rows):
    """Yield a function that sends the row of a number; the requests are made once."""
    bodies = [json.dumps({"signature_name": "raw_columns", "instances": [row]}) for row in rows]
    with contextlib.closing(
        http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    ) as connection:

        def ask(number):
            connection.request("POST", PATH, bodies[number])
            response = connection.getresponse()
            answer = json.loads(response.read())
            assert response.status == 200, answer
            return answer["predictions"][0]["scores"]

        yield ask


@contextlib.contextmanager
def by_grpc(server, rows):
    """Yield the same by gRPC."""
    from tensorflow_serving.apis import prediction_service_pb2_grpc

    messages = [message_of(row) for row in rows]
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        yield lambda number: stub.Predict(messages[number]).outputs["scores"].float_val[0]


def message_of(row):
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "tiny", "raw_columns"
    for name, value in row.items():
        dtype = {"hours-per-week": tf.float32, "Fare ($)": tf.float32}.get(
            name, tf.string if isinstance(value, str) else tf.float64
        )
        request.inputs[name].CopyFrom(tf.make_tensor_proto([value], dtype))
    return request


@contextlib.contextmanager
def load(server, rows, both):
    """Send requests from several threads, by REST and by gRPC, while the body runs."""
    asked = Load(server, rows, both, rest), Load(server, rows, both, by_grpc)
    with ThreadPoolExecutor(2 * THREADS) as pool:
        running = [pool.submit(each.run, n) for each in asked for n in range(THREADS)]
        try:
            yield asked
        finally:
            for each in asked:
                each.stopping.set()
    for future in running:
        future.result()


def reload(server, version):
    """Let the server answer only with this version; return once it does."""
    from tensorflow_serving.apis import model_management_pb2, model_service_pb2_grpc

    request = model_management_pb2.ReloadConfigRequest()
    config = request.config.model_config_list.config.add(name="tiny")
    config.model_version_policy.specific.versions.append(version)
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        response = stub.HandleReloadConfigRequest(request, timeout=60)
    assert response.status.error_code == 0


def states_of(server):
    statuses = server.ask("GET", "/v1/models/tiny")[1]["model_version_status"]
    return {status["version"]: status["state"] for status in statuses}


def test_swaps_by_folder_file_and_request_under_load_lose_and_mix_nothing(
    exported, exported_again, rows, both, tmp_path, publish, serving
):
    folder, file = tmp_path / "serving", tmp_path / "models.config"
    folder.mkdir()
    publish(exported.saved_model, folder, 1)
    file.write_text(CONFIG.format(path=folder, policy="latest { num_versions: 1 }"))
    with serving("--config", str(file), "--poll-seconds", "0.05") as server:
        with load(server, rows, both) as asked:
            for each in asked:
                each.wait_for(1)
            publish(exported_again, folder, 2)
            for each in asked:
                each.wait_for(2)
            pinned = tmp_path / "pinned.config"
            pinned.write_text(CONFIG.format(path=folder, policy="specific { versions: 1 }"))
            pinned.rename(file)
            for each in asked:
                each.wait_for(1)
            for version in (2, 1):
                reload(server, version)
                for each in asked:
                    each.wait_for(version)
        for each in asked:
            assert set(each.seen) == {1, 2}
        deadline = time.monotonic() + 30  # an unloaded version reports it once its memory is free
        while (states := states_of(server)) == {"1": "AVAILABLE", "2": "UNLOADING"}:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert states == {"1": "AVAILABLE", "2": "END"}
        assert server.stop() == 0


def test_sighup_looks_for_versions_and_labels_stay(
    exported, exported_again, tmp_path, publish, serving
):
    folder = tmp_path / "serving"
    folder.mkdir()
    publish(exported.saved_model, folder, 1)
    options = ("--name", "tiny", "--versions", "latest:2", "--label", "stable=1")
    with serving(str(folder), *options, "--poll-seconds", "0") as server:
        publish(exported_again, folder, 2)
        server.process.send_signal(signal.SIGHUP)
        while server.ask("GET", "/v1/models")[1]["models"][0]["default"] != 2:
            time.sleep(0.02)  # loading needs the processor
        status, body = server.ask("GET", "/v1/models/tiny/labels/stable/metadata")
        assert (status, body["model_spec"]["version"]) == (200, "1")


def test_what_was_asked_before_sigterm_is_answered(exported, rows, serving):
    body = json.dumps({"signature_name": "raw_columns", "instances": rows * 100})
    with serving(exported.saved_model, "--name", "tiny") as server, contextlib.ExitStack() as stack:
        connections = [
            stack.enter_context(
                contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60))
            )
            for _ in range(16)
        ]
        for connection in connections:
            connection.request("GET", "/readyz")
            assert connection.getresponse().read()
        channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}"))
        watched = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        health = (response.status for response in watched)
        assert next(health) == SERVING
        for connection in connections:
            connection.request("POST", PATH, body)
        # gRPC may drop a message that nobody waits for when the call then ends with an error
        news = stack.enter_context(ThreadPoolExecutor(1)).submit(next, health)
        assert server.stop() == 0
        assert news.result(60) == NOT_SERVING
        with pytest.raises(grpc.RpcError) as caught:
            next(health)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        for connection in connections:
            response = connection.getresponse()
            assert response.status == 200
            assert len(json.loads(response.read())["predictions"]) == len(rows) * 100
