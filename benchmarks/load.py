"""Load on a server from one process: each connection sends a request after each answer.

`python -m benchmarks.load PORT PATH CONNECTIONS SECONDS < BODY` prints {"p50", "p99"} in
milliseconds and {"requests"} a second. It uses raw sockets and epoll, so that the client itself
takes little time. Every answer must be a 200 with as many values as the first one, which is parsed
and must have a prediction for each row; any other answer ends the measurement.
"""

from __future__ import annotations

import json
import re
import select
import socket
import sys
import time

WARM_UP_SECONDS = 1.0
_ANSWER_BYTES = 1 << 20
_SEPARATOR = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class _Client:
    """A connection, with the part of its answer that has arrived."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = request
        self._answer = b""
        self.asked = 0.0

    def ask(self) -> None:
        self._answer = b""
        self.asked = time.perf_counter()
        self.socket.sendall(self._request)

    def take(self) -> bytes | None:
        """Read what has arrived; return the answer's body once it is complete."""
        piece = self.socket.recv(_ANSWER_BYTES)
        # Most answers come in one piece, and are not copied.
        answer = self._answer = self._answer + piece if self._answer else piece
        head = answer.find(_SEPARATOR)
        length = _LENGTH.search(answer, 0, head + 2)
        begin = head + len(_SEPARATOR)
        if piece and (head < 0 or length is None or len(answer) - begin < int(length[1])):
            return None
        if not answer.startswith(b"HTTP/1.1 200 "):
            sys.exit(f"not answered: {answer[:500]!r}")
        return answer[begin:]


def main() -> None:
    """Send requests, and print how long the answers took."""
    port, path, connections, seconds = sys.argv[1:]
    body = sys.stdin.buffer.read()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    taken = sorted(_taken(int(port), request, int(connections), float(seconds)))
    if not taken:
        sys.exit("nothing was answered in time")
    figures = {
        "p50": taken[len(taken) // 2] * 1e3,
        "p99": taken[len(taken) * 99 // 100] * 1e3,
        "requests": len(taken) / float(seconds),
    }
    print(json.dumps(figures))


def _taken(port: int, request: bytes, connections: int, seconds: float) -> list[float]:
    """Return the seconds of each answer, without the warm-up."""
    poll = select.epoll()
    clients = {}
    for _ in range(connections):
        client = _Client(port, request)
        clients[client.socket.fileno()] = client
        poll.register(client.socket, select.EPOLLIN)
        client.ask()
    rows, commas = len(json.loads(request.partition(_SEPARATOR)[2])["instances"]), None
    begin = time.perf_counter() + WARM_UP_SECONDS
    taken = []
    while (now := time.perf_counter()) < begin + seconds:
        for number, _ in poll.poll(seconds):
            client = clients[number]
            body = client.take()
            if body is None:
                continue
            if now > begin:
                taken.append(time.perf_counter() - client.asked)
            if commas is None:
                commas = _commas(body, rows)
            elif body.count(b",") != commas:
                sys.exit(f"another answer than the first: {body[:500]!r}")
            client.ask()
    return taken


def _commas(body: bytes, rows: int) -> int:
    """Return the number of commas in an answer with this many rows, which separate its values."""
    predictions = next(iter(json.loads(body).values()))
    if len(predictions) != rows:
        sys.exit(f"{rows} rows were asked, and {len(predictions)} answered: {body[:500]!r}")
    return body.count(b",")


if __name__ == "__main__":
    main()
