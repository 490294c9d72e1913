"""One end of a TCP connection: bytes out, HTTP answers in, all within a deadline."""

import contextlib
import socket
from typing import NamedTuple

# A server without an answer after this time hangs: its own limit is shorter (30 s), and the time is
# enough for a busy machine.
SECONDS = 60.0


class Answer(NamedTuple):
    """An answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """A connection to this machine; a server that does not answer in time raises TimeoutError."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._read = b""

    def send(self, data):
        """Send as much as the server accepts."""
        with contextlib.suppress(ConnectionError):
            self._socket.sendall(data)

    def end(self):
        """Shut down sending."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def answer(self, *, head=False):
        """Return the next answer; None if the server has closed the connection instead."""
        status, headers = 100, {}
        while status == 100:
            text = self._until(b"\r\n\r\n")
            if text is None:
                assert not self._read, f"half an answer: {self._read!r}"
                return None
            first, *lines = text.decode("latin-1").split("\r\n")
            version, number, _ = first.split(" ", 2)
            assert version == "HTTP/1.1", first
            status = int(number)
            pairs = (line.split(": ", 1) for line in lines)
            headers = {name.lower(): value for name, value in pairs}
        body = b"" if head else self._exactly(int(headers["content-length"]))
        return Answer(status, headers, body)

    def answers(self):
        """Return all answers until the server closes the connection."""
        return list(iter(self.answer, None))

    def close(self):
        """Close it at once."""
        self._socket.close()

    def _until(self, mark):
        while mark not in self._read:
            if not self._more():
                return None
        text, _, self._read = self._read.partition(mark)
        return text

    def _exactly(self, size):
        while len(self._read) < size:
            assert self._more(), f"the answer has less than the {size} bytes that it announces"
        body, self._read = self._read[:size], self._read[size:]
        return body

    def _more(self):
        data = b""
        with contextlib.suppress(ConnectionError):
            data = self._socket.recv(1 << 16)
        self._read += data
        return bool(data)
