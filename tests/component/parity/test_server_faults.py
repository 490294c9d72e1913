"""However a server fails, the proof names the fault for each of its paths, and continues."""

from __future__ import annotations

import sys
import time
from typing import cast

import numpy as np
import pyarrow as pa
import pytest

from components.parity import rest, server
from components.parity.judge import examine, proof_of
from components.parity.proof import describe
from components.parity.question_sets import QuestionSets
from components.parity.questions import Question, Reference
from components.parity.rows import Rows
from components.parity.server import ServerProcess
from schemas.columns import Column
from tests.component.parity.serving import path_answers

pytestmark = pytest.mark.component

NOTHING = cast("Reference", None)  # there is no answer to compare with a reference
PATHS = {"REST rows", "REST columns", "REST classify, regress", "gRPC"}

# Replaces components.serve: it reports its ports and answers according to the first argument.
PROGRAM = """
import json, os, socket, sys, time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

fault = sys.argv[1]
if fault == "never starts":
    sys.stdin.read()
if fault == "does not start":
    raise SystemExit("there is no SavedModel")
if fault == "says nonsense":
    print("Ready.", flush=True)
    sys.stdin.read()

def port_of_nobody():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if fault == "dies":
            print("out of memory", file=sys.stderr, flush=True)
            os._exit(7)
        if fault == "hangs":
            time.sleep(600)
        body = b'{"error": "it is broken"}' if fault == "answers 500" else b"<html>"
        self.send_response(500 if fault == "answers 500" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_POST
    def log_message(self, *_):
        pass

http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
grpc_port = port_of_nobody()
if fault in ("answers 500", "answers nonsense"):
    import grpc
    class Broken(grpc.GenericRpcHandler):
        def service(self, details):
            def broken(request, context):
                context.abort(grpc.StatusCode.INTERNAL, "it is broken")
            return grpc.unary_unary_rpc_method_handler(broken)
    rpc = grpc.server(ThreadPoolExecutor(1), handlers=[Broken()])
    grpc_port = rpc.add_insecure_port("127.0.0.1:0")
    rpc.start()
if fault == "hangs":
    silent = socket.create_server(("127.0.0.1", 0))
    grpc_port = silent.getsockname()[1]
print(json.dumps({"http": http.server_port, "grpc": grpc_port}), flush=True)
http.serve_forever()
"""


@pytest.fixture
def reasons(tmp_path, monkeypatch):
    """Ask a server with a fault; return why each path had no answer, as the report says, too."""
    from components.parity import grpc_client

    def question(name):
        feeds = {"fare": np.array([1.5, 2.5], np.float32)}
        return Question(name, name, feeds, slice(0, 2))

    def question_of_examples(name):
        feeds = {"inputs": np.array([b"", b""], object)}
        return Question(name, name, feeds, slice(0, 2))

    methods = ["classification", "regression"]
    batch = pa.record_batch([pa.array([1.5, 2.5])], ["fare"])
    columns = (Column("fare", "FLOAT", serving=True),)
    rows = Rows(batch, ("a", "b"), {"test": 2}, (), batch, columns)
    by_predict = [question("raw_columns"), question("predict")]
    sets = QuestionSets(
        everything=[],
        grpc=by_predict + [question_of_examples(name) for name in methods],
        examples=[question(name) for name in methods],
        files=[],
        messages=[],
    )

    def ask(fault, *, start=60.0, request=60.0):
        monkeypatch.setattr(server, "_COMMAND", (sys.executable, "-c", PROGRAM, fault))
        monkeypatch.setattr(server, "START_SECONDS", start)
        monkeypatch.setattr(server, "ENDING_SECONDS", min(5.0, request))
        for module in (rest, grpc_client):
            monkeypatch.setattr(module, "REQUEST_SECONDS", request)
        started = time.monotonic()
        with ServerProcess("model", str(tmp_path)) as process:
            paths = path_answers(process.address, process.ending, sets)
            proof = proof_of(examine(paths, NOTHING, rows), rows, 1.0)
        assert time.monotonic() - started < 60
        assert not proof.proven
        assert {path.name for path in proof.serving_paths if not path.proven} == PATHS
        found = {failure.path: failure.reason for failure in proof.failures}
        assert next(iter(found)) in describe(proof)
        return found

    return ask


def test_a_server_that_does_not_start_is_reported_with_the_end_of_its_output(reasons):
    found = reasons("does not start")

    assert set(found) == PATHS
    for reason in found.values():
        assert reason.startswith("the server did not start: the process ended with code 1")
        assert "there is no SavedModel" in reason


def test_a_server_that_is_never_ready_is_given_up(reasons):
    found = reasons("never starts", start=0.5)

    assert set(found) == PATHS
    assert {r.splitlines()[0] for r in found.values()} == {"the server did not start within 0.5 s"}


def test_a_server_that_dies_is_reported_with_the_end_of_its_output(reasons):
    found = reasons("dies")

    assert set(found) == PATHS
    for reason in found.values():
        assert "the process ended with code 7" in reason
        assert "out of memory" in reason
    assert found["REST rows"].startswith("no answer: RemoteDisconnected")
    assert "ConnectionRefusedError" in found["REST columns"]
    assert found["gRPC"].startswith("UNAVAILABLE")


def test_a_server_that_answers_errors_is_reported_by_question(reasons):
    found = reasons("answers 500")

    assert {path.partition(": ")[0] for path in found} == PATHS
    assert len(found) == 3 * 2 + 4
    for path, reason in found.items():
        assert "it is broken" in reason
        assert ("INTERNAL" if path.startswith("gRPC") else "status 500") in reason


def test_a_server_whose_answers_are_not_json_is_reported_by_question(reasons):
    found = reasons("answers nonsense")

    assert {path.partition(": ")[0] for path in found} == PATHS
    for path, reason in found.items():
        if path.startswith("REST"):
            assert "the answer is not JSON" in reason
            assert "<html>" in reason


def test_a_server_that_hangs_is_given_up(reasons):
    found = reasons("hangs", request=0.5)

    assert set(found) == PATHS
    for path, reason in found.items():
        late = "DEADLINE_EXCEEDED" if path == "gRPC" else "no answer within 0.5 s"
        assert late in reason
        assert "the process is still running" in reason


def test_a_server_that_does_not_print_its_ports_is_reported(reasons):
    found = reasons("says nonsense", request=0.5)

    assert set(found) == PATHS
    for reason in found.values():
        assert "the server did not start: the process is still running" in reason
