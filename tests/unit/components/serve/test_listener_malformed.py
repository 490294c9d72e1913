"""Malformed and oversized requests over real connections are client errors, answered in JSON."""

import asyncio
import contextlib
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.serve.failures import RequestError
from components.serve.listener import Listener
from components.serve.settings import Address
from tests.unit.components.serve.http_client import (
    BODY,
    HEAD,
    SCORED,
    Echo,
    ask_once,
    error_of,
    say,
)


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
        (b"GET /" + b"x" * 5_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 2_000, 431),
    ],
)
def test_bytes_that_are_not_http_are_refused_in_json(talk, data, status):
    answer = talk(lambda port, stop: say(port, data), head_bytes=4_096)
    assert error_of(answer)[0] == status


def test_an_offer_of_another_protocol_is_not_taken_up(talk):
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
    with_body = HEAD + offer + f"Content-Length: {len(BODY)}\r\n\r\n{BODY}".encode()
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    def client(port, stop):
        return say(
            port, with_body + b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + offer + b"\r\n" + last
        )

    answers = talk(client).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200"] * 3
    assert answers[0].endswith(b'{"predictions":[{"logits":12.5,"scores":25.0}]}')


@given(data=st.binary(max_size=200), good=st.integers(0, 1))
def test_no_bytes_are_answered_with_a_fault_of_ours(data, good):
    async def main():
        listener = Listener(Echo(), Address(port=0))
        port = await listener.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * good + data)
        writer.write_eof()
        with contextlib.suppress(ConnectionError):
            raw = await asyncio.wait_for(reader.read(), 10)
            for answer in raw.split(b"HTTP/1.1 ")[1:]:
                assert int(answer[:3]) in range(200, 500)
        writer.close()
        await listener.stop(0)

    asyncio.run(main())


def test_a_client_that_announces_too_much_gets_no_100_continue(talk):
    def client(port, stop):
        return say(port, HEAD + b"Content-Length: 99\r\nExpect: 100-continue\r\n\r\n")

    assert error_of(talk(client, max_bytes=9))[0] == 413


def test_observers_see_what_the_listener_refuses(talk):
    seen = []

    class Noting(Echo):
        def refuse(self, request, error):
            seen.append((request.method, request.peer, error.status))
            assert isinstance(error, RequestError)
            return super().refuse(request, error)

    talk(lambda port, stop: say(port, HEAD + b"Content-Length: 9\r\n\r\n"), Noting(), max_bytes=8)
    assert seen == [("POST", "127.0.0.1", 413)]
