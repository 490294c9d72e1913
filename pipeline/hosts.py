"""Questions about a host before anything is sent to it: whether it is this one, and answers."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

TIMEOUT = 5.0  # seconds, to connect
ANSWER_TIMEOUT = 10.0  # seconds


def is_here(address: str) -> bool:
    """Return whether an address is on this machine, as is an address without a host (`local[2]`).

    >>> is_here("http://localhost:8081"), is_here("local[2]"), is_here("spark://192.0.2.1:7077")
    (True, True, False)
    """
    host = urlsplit(address).hostname if "://" in address else address.partition(":")[0]
    if host is None or host.startswith("local"):
        return True
    try:
        addresses = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return any(_can_bind(family, address) for family, _, _, _, address in addresses)


def listens(host_port: str) -> bool:
    """Return whether HOST:PORT accepts connections."""
    host, _, port = host_port.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), TIMEOUT):
            return True
    except OSError:
        return False


def fetch(url: str, method: str = "GET") -> bytes:
    """Return the response of a URL.

    Raises:
      OSError: there is no response, or an error.
    """
    import urllib.request  # takes a tenth of the command's start

    request = urllib.request.Request(url, method=method)
    with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT) as answer:
        content: bytes = answer.read()
    return content


def _can_bind(family: int, address: tuple[object, ...]) -> bool:
    """Return whether an address is on this machine: no other can be bound."""
    with socket.socket(family, socket.SOCK_STREAM) as one:
        try:
            one.bind(address)
        except OSError:
            return False
    return True
