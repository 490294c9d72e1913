"""Bytes for an HTTP port, often invalid: wrong lines, headers, lengths and chunks."""

from typing import NamedTuple

from hypothesis import strategies as st

from tests.component.serve.fuzz.edits import changes, scrambled

_LINES = [
    b"POST /v1/models/tiny:predict HTTP/1.1",
    b"POST /v1/models/tiny:predict HTTP/1.0",
    b"GET /v1/models/tiny HTTP/1.1",
    b"GET /healthz HTTP/1.1",
    b"GET / HTTP/1.1",
    b"GET /healthz",
    b"GET  /healthz  HTTP/1.1",
    b"GET /healthz HTTP/9.9",
    b"GET /healthz HTTP/1.1 x",
    b"GET \x00 HTTP/1.1",
    b"GET /\xff\xfe HTTP/1.1",
    b"GET /" + b"a" * 40_000 + b" HTTP/1.1",
    b"GET http:// HTTP/1.1",
    b"CONNECT elsewhere:443 HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"PRI * HTTP/2.0",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # the hello message of TLS
    b"SSH-2.0-OpenSSH_9.2",
    b"EHLO tiny",
    b"",
]
_HEADERS = [
    b"Host: localhost",
    b"Host: tiny",
    b"Host: a\r\nHost: b",
    b"Content-Length: 2",
    b"Content-Length: 9",
    b"Content-Length: 0",
    b"Content-Length: -1",
    b"Content-Length: +2",
    b"Content-Length: 0x2",
    b"Content-Length: 2, 2",
    b"Content-Length: 99999999999999999999999",
    b"Content-Length: 17000000",
    b"Content-Length : 2",
    b" Content-Length: 2",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding:\x0bchunked",
    b"transfer-encoding: Chunked",
    b"Content-Encoding: gzip",
    b"Connection: keep-alive",
    b"Connection: close",
    b"Connection: Upgrade\r\nUpgrade: websocket",
    b"Expect: 100-continue",
    b"Trailer: Content-Length",
    b"No colon",
    b": no name",
    b"Name\x00: nul",
    b"Name: \x00\x01\x7f",
    b"Folded: a\r\n b",
    b"Long: " + b"x" * 40_000,
    b"X: y\r\n" * 3_000 + b"Z: z",
    b"\xff\xfe: \xff",
]
_BODIES = [
    b"",
    b"{}",
    b"{",
    b"2\r\n{}\r\n0\r\n\r\n",
    b"2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n",
    b"2;ext=\xff\r\n{}\r\n0\r\n\r\n",
    b"fffffffffffffffff\r\n{}",
    b"-2\r\n{}\r\n0\r\n\r\n",
    b"2\r\n{}x0\r\n\r\n",
    b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"{}GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\x1f\x8b\x08\x00",
]


class Sent(NamedTuple):
    """The bytes of one connection, in pieces."""

    pieces: list[bytes]

    def __repr__(self):
        shown = [p if len(p) < 1_000 else p[:500] + b" ... " for p in self.pieces]
        return f"Sent({sum(map(len, self.pieces))} bytes: {shown!r})"


_messages = st.builds(
    lambda line, headers, end, body: end.join([line, *headers, b"", body]),
    st.sampled_from(_LINES),
    st.lists(st.sampled_from(_HEADERS), max_size=5),
    st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"]),
    st.sampled_from(_BODIES),
)
_damaged = st.builds(scrambled, _messages, changes)


def _split(messages, at):
    data = b"".join(messages)
    cuts = sorted({place % (len(data) + 1) for place in at})
    return Sent([data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)])


# Bytes of one connection: up to three messages in a row, damaged or not, or only noise.
connections = st.builds(
    _split,
    st.lists(_messages | _damaged, min_size=1, max_size=3),
    st.lists(st.integers(0, 300), max_size=2),
) | st.binary(min_size=1, max_size=60).map(lambda data: Sent([data]))
