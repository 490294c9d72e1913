"""Load on a server, from one process: connections that each ask again once they are answered.

`python -m benchmarks.load PORT PATH CONNECTIONS SECONDS < BODY` prints {"p50", "p99"} in
milliseconds and {"requests"} a second. Raw sockets and epoll, so that the client takes little of
what it measures.
"""

from __future__ import annotations

import json
import re
import select
import socket
import sys
import time

WARM_UP_SECONDS = 1.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class _Client:
    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = request
        self._answer = b""
        self._asked = 0.0

    def ask(self) -> None:
        self._answer = b""
        self._asked = time.perf_counter()
        self.socket.sendall(self._request)

    def take(self) -> float | None:
        """Read what is there; returns the seconds that the answer took once it is whole."""
        piece = self.socket.recv(1 << 18)
        self._answer += piece
        head, _, body = self._answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        if piece and (length is None or len(body) < int(length[1])):
            return None
        if not head.startswith(b"HTTP/1.1 200 "):
            sys.exit(f"not answered: {self._answer[:500]!r}")
        return time.perf_counter() - self._asked


def main() -> None:
    """Ask, and print how long the answers took."""
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
    """Return the seconds that each answer took, those of the warm-up left out."""
    poll = select.epoll()
    clients = {}
    for _ in range(connections):
        client = _Client(port, request)
        clients[client.socket.fileno()] = client
        poll.register(client.socket, select.EPOLLIN)
        client.ask()
    begin = time.perf_counter() + WARM_UP_SECONDS
    taken = []
    while (now := time.perf_counter()) < begin + seconds:
        for number, _ in poll.poll(seconds):
            client = clients[number]
            if (time_taken := client.take()) is not None:
                if now > begin:
                    taken.append(time_taken)
                client.ask()
    return taken


if __name__ == "__main__":
    main()
