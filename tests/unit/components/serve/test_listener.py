"""Requests over real connections, to a model without TensorFlow: limits, and an end in peace."""

import asyncio
import contextlib
import gzip
import http.client
import json
import socket
import ssl
import threading
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.serve.failures import RequestError
from components.serve.listener import TIMEOUT_HEADER, Listener
from components.serve.messages import Answer
from components.serve.settings import Address
from schemas.errors import ConfigError

PATH = "/v1/models/taxi:predict"
ROW = {"fare": 12.5, "trips": 3, "company": "Blue"}
BODY = json.dumps({"instances": [ROW]})
SCORED = (200, {"predictions": [{"logits": 12.5, "scores": 25.0}]})
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n".encode()


class Echo:
    """An app that tells what it was asked."""

    def answer(self, request, respond):
        told = [request.method, request.path, request.body.decode(), request.authorization]
        respond(Answer(401 if request.path == "/secret" else 200, json.dumps(told).encode()))

    def refuse(self, request, error):
        return Answer(error.status, json.dumps({"error": error.message}).encode())


@pytest.fixture
def talk(make_app):
    """Run `client(port, stop)` in a thread against a server; returns what the client does."""

    def run(client, app=None, drain_seconds=10.0, **address):
        async def main():
            listener = Listener(app or await make_app(), Address(port=0, **address))
            port = await listener.start()
            loop = asyncio.get_running_loop()

            def stop():
                stopped = asyncio.run_coroutine_threadsafe(listener.stop(drain_seconds), loop)
                asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(10)  # it has begun
                return stopped

            try:
                return await asyncio.to_thread(client, port, stop)
            finally:
                await asyncio.wait_for(listener.stop(drain_seconds), 20)

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


def plug(port):
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def read_all(plugged):
    """Return all that comes until the server closes."""
    return b"".join(iter(lambda: plugged.recv(65_536), b""))


def say(port, data):
    """Send bytes and return all that comes until the server closes."""
    with plug(port) as plugged:
        plugged.sendall(data)
        return read_all(plugged)


def error_of(raw):
    """Return status and message of an answer that ends its connection."""
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in head
    assert b"\r\nContent-Type: application/json\r\n" in head
    return int(head.split()[1]), json.loads(body)["error"]


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
                ask(connection, iter([BODY[:9].encode(), BODY[9:].encode()])),
            ]

    answers = talk(client)
    assert [answers[0], answers[2], answers[4]] == [SCORED] * 3
    assert answers[1][0] == 400
    assert answers[3] == (200, {"status": "ready"})


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_pipelined_requests_are_answered_in_order_however_they_are_cut(talk, size):
    wanted = [f"/{number}" for number in range(40)]
    last = b"GET /last HTTP/1.1\r\nConnection: close\r\n\r\n"
    data = b"".join(f"GET {path} HTTP/1.1\r\n\r\n".encode() for path in wanted) + last

    def client(port, stop):
        with plug(port) as plugged:
            plugged.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for start in range(0, len(data), size):
                plugged.sendall(data[start : start + size])
            return read_all(plugged)

    answers = talk(client, Echo()).split(b"HTTP/1.1 200 OK\r\n")[1:]
    paths = [json.loads(answer.partition(b"\r\n\r\n")[2])[1] for answer in answers]
    assert paths == [*wanted, "/last"]


def test_nothing_is_answered_after_the_last_request(talk):
    last = b"GET /last HTTP/1.1\r\nConnection: close\r\n\r\n"
    answer = talk(lambda port, stop: say(port, last + b"GET /never HTTP/1.1\r\n\r\n"), Echo())
    assert answer.count(b"HTTP/1.1 ") == 1


def test_http_1_0_a_connection_stays_if_asked(talk):
    def client(port, stop):
        stays = b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
        return say(port, stays + b"GET /b HTTP/1.0\r\n\r\n")

    first, second = talk(client, Echo()).split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert b"Connection: keep-alive" in first
    assert b"Connection: close" in second


def test_head_gives_what_get_would_without_its_body(talk):
    def client(port, stop):
        with connect(port) as connection:
            connection.request("HEAD", "/x")
            response = connection.getresponse()
            length = response.headers["content-length"]
            return response.read(), int(length), ask(connection, None, "GET", "/x")[1]

    body, length, told = talk(client, Echo())
    assert body == b""
    assert length == len(json.dumps(told))


def test_paths_are_decoded_and_headers_passed_on(talk):
    def client(port, stop):
        headers = {"AUTHORIZATION": "Bearer t"}
        return [
            ask_once(port, "x", "PUT", "/a%20b/%C3%A9?c=%20", headers)[1],
            ask_once(port, None, "GET", "http://elsewhere/full%3F?q")[1],
            ask_once(port, None, "GET", "/bad%FF"),
        ]

    decoded, absolute, bad = talk(client, Echo())
    assert decoded == ["PUT", "/a b/é", "x", "Bearer t"]
    assert absolute == ["GET", "/full?", "", None]
    assert bad == (400, {"error": "the URL's path is not UTF-8"})


def test_who_shows_no_token_is_told_which_kind_is_expected(talk):
    def client(port, stop):
        return say(port, b"GET /secret HTTP/1.1\r\nConnection: close\r\n\r\n")

    assert b"\r\nWWW-Authenticate: Bearer\r\n" in talk(client, Echo())


def test_a_long_body_is_refused_declared_chunked_or_packed(talk):
    def client(port, stop):
        packed = {"Content-Encoding": "gzip"}
        return [
            ask_once(port, "x" * 101),
            ask_once(port, iter([b"x" * 60, b"x" * 60])),
            ask_once(port, gzip.compress(b"x" * 101), headers=packed),
            ask_once(port, gzip.compress(b"x" * 10_000_000)[:100], headers=packed),
            ask_once(port, "x" * 100),
        ]

    statuses = [status for status, _ in talk(client, max_bytes=100)]
    assert statuses == [413, 413, 413, 413, 400]


def test_a_packed_body_is_unpacked_or_refused(talk):
    packed = gzip.compress(BODY.encode())

    def client(port, stop):
        def send(body, encoding):
            return ask_once(port, body, headers={"Content-Encoding": encoding})

        return [
            send(packed, "gzip"),
            send(zlib.compress(BODY.encode()), "Deflate"),
            send(b"no gzip", "gzip"),
            send(packed[:-9], "gzip"),
            send(packed + b"x", "gzip"),
            send(packed, "br"),
        ]

    answers = talk(client)
    assert answers[:2] == [SCORED] * 2
    assert [status for status, _ in answers[2:]] == [400, 400, 400, 415]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),  # a TLS client
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (HEAD + b"Na me: x\r\n\r\n", 400),
        (b"CONNECT there:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (HEAD + b"X: " + b"x" * 5_000 + b"\r\n\r\n", 431),
        (HEAD + b"X: " + b"x" * 300_000, 431),
        (HEAD + b"X: y\r\n" * 2_000 + b"\r\n", 431),
        (b"GET /" + b"x" * 5_000 + b" HTTP/1.1\r\n\r\n", 431),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 2_000, 431),
    ],
)
def test_what_is_not_http_is_told_so_in_json(talk, data, status):
    answer = talk(lambda port, stop: say(port, data), head_bytes=4_096)
    assert error_of(answer)[0] == status


def test_an_offer_of_another_protocol_is_not_taken_up(talk):
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
    with_body = HEAD + offer + f"Content-Length: {len(BODY)}\r\n\r\n{BODY}".encode()
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    def client(port, stop):
        return say(port, with_body + b"GET /healthz HTTP/1.1\r\n" + offer + b"\r\n" + last)

    answers = talk(client).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200"] * 3
    assert answers[0].endswith(b'{"predictions":[{"logits":12.5,"scores":25.0}]}')


@pytest.mark.parametrize(
    ("data", "statuses"),
    [
        (b"GET /healthz HTTP/1.1\r\n\r\n" * 2, [200, 200]),
        (b"GET /healthz HTTP/1.1\r\n\r\nGET /he", [200, 400]),
        (HEAD + b"Content-Length: 5\r\n\r\n{", [400]),
        (HEAD + b"Content-Length: 5\r\n\r\n" + b"{" * 6, [400, 400]),
        (b"", []),
    ],
)
def test_a_client_that_closes_its_side_is_answered(talk, data, statuses):
    def client(port, stop):
        with plug(port) as plugged:
            plugged.sendall(data)
            plugged.shutdown(socket.SHUT_WR)
            return read_all(plugged)

    answers = talk(client).split(b"HTTP/1.1 ")[1:]
    assert [int(answer[:3]) for answer in answers] == statuses


@given(data=st.binary(max_size=200), good=st.integers(0, 1))
def test_no_bytes_are_answered_with_a_fault_of_ours(data, good):
    async def main():
        listener = Listener(Echo(), Address(port=0))
        port = await listener.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n" * good + data)
        writer.write_eof()
        with contextlib.suppress(ConnectionError):
            raw = await asyncio.wait_for(reader.read(), 10)
            for answer in raw.split(b"HTTP/1.1 ")[1:]:
                assert int(answer[:3]) in range(200, 500)
        writer.close()
        await listener.stop(0)

    asyncio.run(main())


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(talk):
    def client(port, stop):
        with plug(port) as connection:
            length = f"Content-Length: {len(BODY)}\r\n".encode()
            connection.sendall(HEAD + length + b"Expect: 100-continue\r\n\r\n")
            told = connection.recv(1_000)
            connection.sendall(BODY.encode())
            return told, connection.recv(1_000)

    told, answer = talk(client)
    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b'{"predictions":[{"logits":12.5,"scores":25.0}]}')


def test_a_client_that_asks_to_send_too_much_is_not_told_to_go_on(talk):
    def client(port, stop):
        return say(port, HEAD + b"Content-Length: 99\r\nExpect: 100-continue\r\n\r\n")

    assert error_of(talk(client, max_bytes=9))[0] == 413


@pytest.mark.parametrize(
    ("data", "limit", "what"),
    [
        (b"GET / HTTP/1.1\r\nX: ", "head_seconds", "the request's head"),
        (HEAD + b"Content-Length: 9\r\n\r\n{", "body_seconds", "the body"),
    ],
)
def test_what_does_not_arrive_is_given_up(talk, data, limit, what):
    answer = talk(lambda port, stop: say(port, data), **{limit: 0.05})
    assert error_of(answer) == (408, f"{what} did not arrive in time")


@pytest.mark.parametrize("limit", ["head_seconds", "idle_seconds"])
def test_a_connection_that_asks_nothing_is_closed(talk, limit):
    first = b"" if limit == "head_seconds" else b"GET / HTTP/1.1\r\n\r\n"
    answer = talk(lambda port, stop: say(port, first), Echo(), **{limit: 0.05})
    assert answer.count(b"HTTP/1.1 ") == bool(first)


def test_a_client_that_takes_no_answer_is_given_up(talk):
    class Talker(Echo):
        def answer(self, request, respond):
            respond(Answer(200, bytes(50_000_000)))

    def client(port, stop):
        with plug(port) as plugged:
            plugged.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert plugged.recv(1)
            stop().result(10)  # which waits for the answer to be taken, or given up
            with contextlib.suppress(ConnectionError):
                return len(read_all(plugged))
            return 0

    assert talk(client, Talker(), body_seconds=0.05) < 50_000_000


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


def test_a_client_that_is_gone_leaves_nothing_behind(talk):
    gone = threading.Event()

    class Slow(Echo):
        def answer(self, request, respond):
            if request.path != "/slow":
                super().answer(request, respond)
                return
            answer = super().answer
            loop = asyncio.get_running_loop()
            slow = loop.run_in_executor(None, gone.wait, 10)
            slow.add_done_callback(lambda _: answer(request, respond))

    def client(port, stop):
        with plug(port) as plugged:
            plugged.sendall(b"GET /slow HTTP/1.1\r\n\r\n" * 3)
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
            plugged.sendall(b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n")
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


def test_with_a_certificate_tls_is_spoken(talk, certificate):
    chain, key = certificate

    def client(port, stop):
        trusting = ssl.create_default_context(cafile=chain)
        connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=trusting)
        with contextlib.closing(connection):
            return ask(connection)

    assert talk(client, certificate=chain, key=key) == SCORED


def test_a_certificate_that_cannot_be_read_is_said(tmp_path):
    path = str(tmp_path / "none.pem")
    with pytest.raises(ConfigError, match="the certificate or its key cannot be read"):
        asyncio.run(Listener(Echo(), Address(port=0, certificate=path, key=path)).start())


def test_a_port_that_is_taken_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=r"cannot listen at 127\.0\.0\.1:\d+: ") as caught:
            asyncio.run(Listener(Echo(), Address(port=port)).start())
    assert caught.value.remedy == "give another --host or --port; 0 is any free port"


def test_observers_see_what_the_listener_refuses(talk):
    seen = []

    class Noting(Echo):
        def refuse(self, request, error):
            seen.append((request.method, request.peer, error.status))
            assert isinstance(error, RequestError)
            return super().refuse(request, error)

    talk(lambda port, stop: say(port, HEAD + b"Content-Length: 9\r\n\r\n"), Noting(), max_bytes=8)
    assert seen == [("POST", "127.0.0.1", 413)]
