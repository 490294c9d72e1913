"""Requests over real connections, to a model without TensorFlow: limits, and an end in peace."""

import asyncio
import contextlib
import http.client
import json
import socket
import threading

import pytest

from components.serve.app import App
from components.serve.listener import TIMEOUT_HEADER, Listener
from components.serve.settings import Address, Settings
from schemas.errors import ConfigError

PATH = "/v1/models/taxi:predict"
ROW = {"fare": 12.5, "trips": 3, "company": "Blue"}
BODY = json.dumps({"instances": [ROW]})


@pytest.fixture
def talk(model):
    """Run `client(port, stop)` in a thread against a server; returns what the client does."""

    def run(client, load=lambda: model, **address):
        async def main():
            app = App(Settings(name="taxi", version=1))
            listener = Listener(app, Address(port=0, **address))
            ports: asyncio.Queue[int] = asyncio.Queue()
            serving = asyncio.ensure_future(listener.run(load, ports.put_nowait))
            port = await asyncio.wait_for(ports.get(), 10)
            loop = asyncio.get_running_loop()
            stop = lambda: loop.call_soon_threadsafe(listener.stop)  # noqa: E731
            try:
                return await asyncio.to_thread(client, port, stop)
            finally:
                listener.stop()
                await asyncio.wait_for(serving, 10)

        return asyncio.run(main())

    return run


def ask(connection, body=BODY, method="POST", path=PATH, headers=None):
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    assert response.headers["content-type"].startswith("application/json")
    return response.status, json.loads(response.read())


def connect(port):
    return contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10))


def ask_once(port, *args, **kwargs):
    with connect(port) as connection:
        return ask(connection, *args, **kwargs)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_requests_of_one_connection_are_answered_in_turn(talk):
    def client(port, stop):
        with connect(port) as connection:
            return [
                ask(connection),
                ask(connection, "{"),
                ask(connection, path=f"{PATH}?x=1"),
                ask(connection, None, "GET", "/readyz"),
            ]

    scored = (200, {"predictions": [{"logits": 12.5, "scores": 25.0}]})
    answers = talk(client)
    assert (answers[0], answers[2]) == (scored, scored)
    assert answers[1][0] == 400
    assert answers[3] == (200, {"status": "ready"})


def test_a_long_body_is_refused_declared_chunked_or_packed(talk):
    def client(port, stop):
        declared = ask_once(port, "x" * 101)
        chunked = ask_once(port, iter([b"x" * 60, b"x" * 60]))
        exact = ask_once(port, "x" * 100)
        broken = ask_once(port, b"no gzip", headers={"Content-Encoding": "gzip"})
        return [status for status, _ in (declared, chunked, exact, broken)]

    assert talk(client, max_bytes=100) == [413, 413, 400, 400]


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(talk):
    def client(port, stop):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n"
            connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
            told = connection.recv(1_000)
            connection.sendall(BODY.encode())
            return told, connection.recv(1_000)

    told, answer = talk(client)
    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b'{"predictions":[{"logits":12.5,"scores":25.0}]}')


def test_a_body_that_does_not_arrive_is_given_up(talk):
    def client(port, stop):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
            connection.sendall(head.encode() + b"{")
            return connection.recv(1_000)

    answer = talk(client, body_seconds=0.05)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'{"error":"the body did not arrive in time"}' in answer


def test_what_was_asked_before_the_end_is_answered(talk, model):
    entered, go = threading.Event(), threading.Event()
    compute = model.run

    def slow(signature, inputs):
        entered.set()
        assert go.wait(10)
        return compute(signature, inputs)

    model.run = slow

    def client(port, stop):
        with connect(port) as idle, connect(port) as busy:
            idle.connect()
            busy.request("POST", PATH, BODY)
            assert entered.wait(10)
            stop()
            ready = ask(idle, None, "GET", "/readyz")
            assert not listens(port)
            go.set()
            response = busy.getresponse()
            body = json.loads(response.read())
            return ready, response.status, body, response.headers["connection"]

    ready, status, body, connection = talk(client)
    assert ready == (503, {"error": "the server is about to stop"})
    assert (status, body) == (200, {"predictions": [{"logits": 12.5, "scores": 25.0}]})
    assert connection == "close"


def test_the_client_says_how_long_it_waits(talk, model):
    go = threading.Event()
    compute = model.run
    model.run = lambda signature, inputs: go.wait(10) and compute(signature, inputs)

    def client(port, stop):
        late = ask_once(port, headers={TIMEOUT_HEADER: "0.05"})
        go.set()
        return late

    assert talk(client) == (504, {"error": "no answer within 0.05 s"})


def test_a_server_that_is_loading_is_alive_and_not_ready(model):
    loading = threading.Event()

    async def main():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        app = App(Settings(name="taxi", version=1))
        listener = Listener(app, Address(port=port))

        def load():
            assert loading.wait(10)
            return model

        served = asyncio.Event()
        serving = asyncio.ensure_future(listener.run(load, lambda _: served.set()))
        await asyncio.sleep(0)

        def look():
            while not listens(port):
                pass
            return [ask_once(port, None, "GET", path) for path in ("/healthz", "/readyz")]

        before = await asyncio.to_thread(look)
        loading.set()
        await asyncio.wait_for(served.wait(), 10)
        after = await asyncio.to_thread(look)
        listener.stop()
        await asyncio.wait_for(serving, 10)
        return [status for status, _ in before + after]

    assert asyncio.run(main()) == [200, 503, 200, 200]


def test_a_port_that_is_taken_is_said(model):
    async def main(port):
        listener = Listener(App(Settings(name="taxi", version=1)), Address(port=port))
        await listener.run(lambda: model, lambda _: None)

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match=r"cannot listen at 127\.0\.0\.1:\d+: ") as caught:
            asyncio.run(main(taken.getsockname()[1]))
    assert caught.value.remedy == "give another --host or --port; 0 is any free port"
