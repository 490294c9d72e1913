"""Requests over real connections, to a model without TensorFlow: order, paths, token, TLS."""

import asyncio
import contextlib
import http.client
import json
import socket
import ssl

import pytest

from components.serve.listener import Listener
from components.serve.settings import Address
from schemas.errors import ConfigError
from tests.unit.components.serve.http_client import (
    BODY,
    HEAD,
    PATH,
    SCORED,
    Echo,
    ask,
    ask_once,
    connect,
    plug,
    read_all,
    say,
)


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
    last = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    data = b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in wanted) + last

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
    last = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = talk(
        lambda port, stop: say(port, last + b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n"), Echo()
    )
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

    body, length, expected = talk(client, Echo())
    assert body == b""
    assert length == len(json.dumps(expected))


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


def test_without_a_token_the_answer_names_the_expected_kind(talk):
    def client(port, stop):
        return say(port, b"GET /secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert b"\r\nWWW-Authenticate: Bearer\r\n" in talk(client, Echo())


@pytest.mark.parametrize(
    ("data", "statuses"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2, [200, 200]),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /he", [200, 400]),
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


def test_a_client_that_expects_100_continue_receives_it(talk):
    def client(port, stop):
        with plug(port) as connection:
            length = f"Content-Length: {len(BODY)}\r\n".encode()
            connection.sendall(HEAD + length + b"Expect: 100-continue\r\n\r\n")
            interim = connection.recv(1_000)
            connection.sendall(BODY.encode())
            return interim, connection.recv(1_000)

    interim, answer = talk(client)
    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b'{"predictions":[{"logits":12.5,"scores":25.0}]}')


def test_with_a_certificate_tls_is_spoken(talk, certificate):
    chain, key = certificate

    def client(port, stop):
        trusting = ssl.create_default_context(cafile=chain)
        connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=trusting)
        with contextlib.closing(connection):
            return ask(connection)

    assert talk(client, certificate=chain, key=key) == SCORED


def test_a_certificate_that_cannot_be_read_is_reported(tmp_path):
    path = str(tmp_path / "none.pem")
    with pytest.raises(ConfigError, match="the certificate or its key cannot be read"):
        asyncio.run(Listener(Echo(), Address(port=0, certificate=path, key=path)).start())


def test_a_port_that_is_taken_is_reported():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=r"cannot listen at 127\.0\.0\.1:\d+: ") as caught:
            asyncio.run(Listener(Echo(), Address(port=port)).start())
    assert caught.value.remedy == "give another --host or --port; 0 is any free port"
