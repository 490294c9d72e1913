"""Slow, silent and too many clients are given up, and a stop waits for pending requests."""

import asyncio
import contextlib
import json
import threading

import pytest

from components.serve.listener import TIMEOUT_HEADER
from components.serve.messages import Answer
from tests.unit.components.serve.http_client import (
    BODY,
    HEAD,
    PATH,
    SCORED,
    Echo,
    ask,
    ask_once,
    connect,
    error_of,
    listens,
    plug,
    read_all,
    say,
)

LONG = 50_000_000  # bytes


class Talker(Echo):
    """An app whose answers are larger than the system's buffers."""

    def answer(self, request, respond):
        respond(Answer(200, bytes(LONG)))


@pytest.mark.parametrize(
    ("data", "limit", "what"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: ", "head_seconds", "the request's head"),
        (HEAD + b"Content-Length: 9\r\n\r\n{", "body_seconds", "the body"),
    ],
)
def test_what_does_not_arrive_is_given_up(talk, data, limit, what):
    answer = talk(lambda port, stop: say(port, data), **{limit: 0.05})
    assert error_of(answer) == (408, f"{what} did not arrive in time")


@pytest.mark.parametrize("limit", ["head_seconds", "idle_seconds"])
def test_a_connection_that_asks_nothing_is_closed(talk, limit):
    first = b"" if limit == "head_seconds" else b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = talk(lambda port, stop: say(port, first), Echo(), **{limit: 0.05})
    assert answer.count(b"HTTP/1.1 ") == bool(first)


def test_a_client_that_takes_no_answer_is_given_up(talk):
    def client(port, stop):
        with plug(port) as plugged:
            plugged.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert plugged.recv(1)
            stop().result(10)  # waits until the answer is received, or given up
            with contextlib.suppress(ConnectionError):
                return len(read_all(plugged))
            return 0

    assert talk(client, Talker(), body_seconds=0.05) < LONG


def test_the_end_comes_as_soon_as_the_last_answer_is_taken(talk):
    def client(port, stop):
        with plug(port) as plugged:
            plugged.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            first = plugged.recv(1)
            stopped = stop()
            taken = len(first + read_all(plugged))
            stopped.result(5)  # of the 30 s limit
            return taken

    assert talk(client, Talker(), drain_seconds=30.0) > LONG


def test_one_connection_too_many_is_refused(talk):
    def client(port, stop):
        with connect(port) as first, connect(port) as second:
            answers = [ask(first), ask(second)]
            with plug(port) as third:
                refused = error_of(read_all(third))
            return [*answers, ask(first)], refused

    answers, refused = talk(client, connections=2)
    assert answers == [SCORED] * 3
    assert refused == (503, "too many connections are open")


def test_a_disconnected_client_leaves_nothing_behind(talk):
    gone = threading.Event()

    class Slow(Echo):
        def answer(self, request, respond):
            if request.path != "/slow":
                super().answer(request, respond)
                return
            answer = super().answer
            slow = asyncio.get_running_loop().run_in_executor(None, gone.wait, 10)
            slow.add_done_callback(lambda _: answer(request, respond))

    def client(port, stop):
        with plug(port) as plugged:
            plugged.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        gone.set()
        return ask_once(port, None, "GET", "/x")[0]

    assert talk(client, Slow()) == 200


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
            stopped = stop()
            assert not listens(port)
            alive = ask(idle, None, "GET", "/healthz")
            assert not stopped.done()
            go.set()
            response = busy.getresponse()
            body = json.loads(response.read())
            stopped.result(10)
            return alive, response.status, body, response.headers["connection"]

    alive, status, body, connection = talk(client)
    assert alive == (200, {"status": "alive"})
    assert (status, body) == SCORED
    assert connection == "close"


def test_the_end_does_not_wait_forever(talk):
    entered = threading.Event()

    class Stuck(Echo):
        def answer(self, request, respond):
            entered.set()

    def client(port, stop):
        with plug(port) as plugged:
            plugged.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert entered.wait(10)
            stop().result(10)
            with contextlib.suppress(ConnectionError):
                return read_all(plugged)
            return b""

    assert talk(client, Stuck(), drain_seconds=0.05) == b""


def test_the_client_says_how_long_it_waits(talk, model):
    go = threading.Event()
    compute = model.run
    model.run = lambda signature, inputs: go.wait(10) and compute(signature, inputs)

    def client(port, stop):
        late = ask_once(port, headers={TIMEOUT_HEADER: "0.05"})
        go.set()
        return late

    assert talk(client) == (504, {"error": "no answer within 0.05 s"})
