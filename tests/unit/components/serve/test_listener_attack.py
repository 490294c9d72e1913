"""The resources that clients without a token, and too many bytes at once, can use of a server."""

import asyncio
import contextlib
import gzip
import json
import socket
import ssl
import threading
import time

import pytest

from components.serve.app import App
from components.serve.budget import Budget
from components.serve.listener import Listener
from components.serve.messages import Answer
from components.serve.settings import Address
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
    plug,
    read_all,
    say,
)

TOKEN = "0123456789abcdef"
RIGHT = {"Authorization": f"Bearer {TOKEN}"}
GZIP = {"Content-Encoding": "gzip"}


class Held(Echo):
    """An app that answers only when it is released, and records its requests."""

    def __init__(self):
        self.paths, self.come = [], threading.Condition()
        self.held = []

    def answer(self, request, respond):
        with self.come:
            self.paths.append(request.path)
            self.held.append(respond)
            self.come.notify_all()

    def wait(self, number):
        with self.come:
            assert self.come.wait_for(lambda: len(self.paths) >= number, 10)


@pytest.fixture
def guarded(make_service):
    """Run `client(port, service)` against a server with a token; return the client's result."""

    def run(client, *, token=TOKEN, in_flight=1 << 20, **address):
        async def main():
            service = await make_service(token=token, max_bytes_in_flight=in_flight)
            listener = Listener(App(service), Address(port=0, **address), service.budget)
            port = await listener.start()
            try:
                given = await asyncio.to_thread(client, port, service)
                await asyncio.sleep(0.01)
                assert service.budget.used == 0
                return given
            finally:
                await listener.stop(1)
                await service.models.close()

        return asyncio.run(main())

    return run


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 1000000\r\n\r\n",
        b"Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n",
        b"Content-Length: 1000000\r\nContent-Encoding: gzip\r\n\r\n" + bytes(100),
        b"Transfer-Encoding: chunked\r\n\r\nffff\r\n",
        b"Content-Length: 10\r\nAuthorization: Bearer wrong\r\n\r\n",
        b"Content-Length: 10\r\nAuthorization: %b\r\nAuthorization: %b\r\n\r\n"
        % ((f"Bearer {TOKEN}".encode(),) * 2),
    ],
)
def test_the_token_is_checked_before_the_body(guarded, rest):
    def client(port, service):
        return say(port, HEAD + rest), service.budget.used

    answer, used = guarded(client)
    assert error_of(answer)[0] == 401
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert used == 0


def test_with_the_token_a_body_is_read_plain_or_packed(guarded):
    def client(port, service):
        long = BODY + " " * 200_000
        packed = gzip.compress(BODY.encode())
        return [
            ask_once(port, headers=RIGHT),
            ask_once(port, long, headers=RIGHT),
            ask_once(port, packed, headers=RIGHT | GZIP),
            ask_once(port, gzip.compress(long.encode()), headers=RIGHT | GZIP),
            ask_once(port, packed + gzip.compress(b" " * 9), headers=RIGHT | GZIP),
            ask_once(port, gzip.compress(bytes(50_000_000)), headers=RIGHT | GZIP)[0],
            ask_once(port, packed[:-1], headers=RIGHT | GZIP)[0],
        ]

    assert guarded(client) == [SCORED] * 5 + [413, 400]


@pytest.mark.parametrize("path", ["/healthz", "/"])
def test_without_a_token_no_long_body_is_read(guarded, path):
    def client(port, service):
        return [
            say(port, f"{method} {path} HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".encode() + rest)
            for method in ("GET", "POST")
            for length, rest in (
                ("Content-Length: 5000", b""),
                ("Transfer-Encoding: chunked", b"1388\r\n" + bytes(5_000)),
            )
        ]

    assert [error_of(answer)[0] for answer in guarded(client)] == [413] * 4


@pytest.mark.parametrize("path", [PATH, PATH.replace(":predict", ":explain")])
def test_what_is_unpacked_counts_too(guarded, path):
    def client(port, service):
        packed = gzip.compress(json.dumps({"instances": []}).encode() + b" " * 600_000)
        assert len(packed) < 10_000
        return ask_once(port, packed, "POST", path, headers=RIGHT | GZIP)

    assert guarded(client, in_flight=400_000)[0] == 429
    assert guarded(client, in_flight=700_000)[0] == 400


def test_others_are_answered_while_a_body_is_unpacked(guarded, held_unpacking):
    entered, go = held_unpacking

    def client(port, service):
        with connect(port) as connection:
            packed = gzip.compress(BODY.encode() + b" " * 200_000)
            connection.request("POST", PATH, packed, RIGHT | GZIP)
            assert entered.wait(10)
            meanwhile = [ask_once(port, None, "GET", "/healthz")[0], ask_once(port, headers=RIGHT)]
            go.set()
            return meanwhile, connection.getresponse().status

    assert guarded(client) == ([200, SCORED], 200)


def test_bytes_in_flight_are_bounded_over_all_connections(guarded):
    def client(port, service):
        head = HEAD + b"Content-Length: %d\r\n\r\n"
        with plug(port) as first, plug(port) as second:
            first.sendall(head % 900 + bytes(800))
            deadline = time.monotonic() + 10
            while service.budget.used < 800:
                assert time.monotonic() < deadline
                time.sleep(0.001)
            declared = error_of(say(port, head % 300))
            second.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n12c\r\n" + bytes(300))
            arrived = error_of(read_all(second))
            checked = ask_once(port, None, "GET", "/healthz")[0]
        while service.budget.used:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return declared, arrived, checked, ask_once(port)

    declared, arrived, checked, after = guarded(client, token=None, in_flight=1_000)
    assert declared == arrived
    assert declared[0] == 429
    assert "800 bytes are in flight, and 1000 is the limit: try again later" in declared[1]
    assert (checked, after) == (200, SCORED)


def test_one_body_is_read_ahead_and_no_more(talk):
    app = Held()
    size = 300_000

    def client(port, stop):
        request = HEAD + b"Content-Length: %d\r\n\r\n" % size + bytes(size)
        with plug(port) as plugged:
            plugged.settimeout(1)
            sent = 0
            with contextlib.suppress(TimeoutError, socket.timeout):
                for _ in range(100):
                    plugged.sendall(request)
                    sent += size
            app.wait(1)
            return sent, len(app.paths)

    sent, asked = talk(client, app, drain_seconds=0.05)
    assert asked == 1
    assert sent < 60 * size  # anything beyond two of them is in the system's buffers


def test_a_connection_that_ends_frees_what_it_held(talk):
    async def main():
        budget = Budget(1 << 20)
        listener = Listener(Echo(), Address(port=0), budget)
        port = await listener.start()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"Content-Length: 900\r\n\r\n" + bytes(500))
        while budget.used != 500:
            await asyncio.sleep(0.001)
        writer.transport.abort()
        while budget.used:
            await asyncio.sleep(0.001)
        await listener.stop(1)

    asyncio.run(asyncio.wait_for(main(), 10))


def test_a_body_in_many_pieces_costs_what_it_holds():
    body = b"".join(b"1\r\nx\r\n" for _ in range(1_000)) + b"0\r\n\r\n"
    budget = Budget(1 << 20)

    class Sizes(Echo):
        def answer(self, request, respond):
            assert budget.used == 1_000 == len(request.body)
            respond(Answer(200, b"{}"))

    async def main():
        listener = Listener(Sizes(), Address(port=0), budget)
        port = await listener.start()
        head = HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        answer = await asyncio.to_thread(say, port, head + body)
        await listener.stop(1)
        return answer, budget.used

    answer, used = asyncio.run(main())
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert used == 0


def silent(number, port, stack):
    return [stack.enter_context(plug(port)) for _ in range(number)]


def test_connections_that_ask_nothing_make_room_for_those_that_ask(talk):
    def client(port, stop):
        with contextlib.ExitStack() as stack, connect(port) as kept:
            first = ask(kept)
            silent(30, port, stack)
            refused = stack.enter_context(plug(port))
            refused.sendall(b"nonsense\r\n\r\n")  # and lingers
            return first, [ask_once(port) for _ in range(3)], ask(kept)

    assert talk(client, connections=4) == (SCORED, [SCORED] * 3, SCORED)


def test_connections_without_the_token_make_room_for_those_with_it(guarded):
    def client(port, service):
        with contextlib.ExitStack() as stack:
            for path in ("/healthz", "/v1/models", "/") * 4:
                connection = stack.enter_context(connect(port))
                connection.request("GET", path)
                connection.getresponse().read()
            kept = stack.enter_context(connect(port))
            first = ask(kept, headers=RIGHT)
            others = [stack.enter_context(connect(port)) for _ in range(20)]
            for other in others:
                with contextlib.suppress(OSError):
                    other.request("GET", "/v1/models")
            return first, ask(kept, headers=RIGHT)

    assert guarded(client, connections=3) == (SCORED, SCORED)


def test_health_checks_work_when_all_places_are_taken(talk):
    checks = (b"/healthz", b"/readyz", b"/healthz")

    def client(port, stop):
        with contextlib.ExitStack() as stack:
            for _ in range(2):
                ask(stack.enter_context(connect(port)))
            silent(9, port, stack)
            answers = [say(port, b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % p) for p in checks]
            refused = say(port, HEAD + b"Content-Length: 0\r\n\r\n")
            return [int(each.split()[1]) for each in answers], error_of(refused)

    answers, refused = talk(client, connections=2, spare_connections=3)
    assert answers == [200] * 3
    assert refused == (503, "too many connections are open")


def test_a_spare_place_is_for_one_check_without_a_body(talk):
    def client(port, stop):
        with connect(port) as first:
            ask(first)
            check = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
            twice = say(port, (check + b"\r\n") * 2)
            return twice.count(b"HTTP/1.1 200"), say(port, check + b"Content-Length: 1\r\n\r\n")

    answered, refused = talk(client, connections=1, spare_connections=1)
    assert answered == 1
    assert error_of(refused)[0] == 503


def test_clients_that_only_begin_with_tls_keep_nobody_out(talk, certificate):
    chain, key = certificate
    trusting = ssl.create_default_context(cafile=chain)

    def client(port, stop):
        with contextlib.ExitStack() as stack:
            first = silent(12, port, stack)
            with (
                plug(port) as plain,
                trusting.wrap_socket(plain, server_hostname="localhost") as secure,
            ):
                secure.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answer = secure.recv(100)
            first[0].settimeout(5)
            return answer, first[0].recv(1)

    answer, end = talk(client, Echo(), certificate=chain, key=key, handshakes=3)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert end == b""  # the oldest was closed
