"""What is to be known of a host before anything is sent to it: is it this one, does it answer."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

TIMEOUT = 5.0  # seconds, to take a connection
ANSWER_TIMEOUT = 10.0  # seconds


def is_here(address: str) -> bool:
    """Return whether an address is of this machine; of none, such as Spark's `local[2]`, it is.

    >>> is_here("http://localhost:8081"), is_here("local[2]"), is_here("spark://192.0.2.1:7077")
    (True, True, False)
    """
    host = urlsplit(address).hostname if "://" in address else address.partition(":")[0]
    if host is None or host.startswith("local"):
        return True
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return any(_can_bind(family, address) for family, _, _, _, address in found)


def listens(host_port: str) -> bool:
    """Return whether somebody takes connections at HOST:PORT."""
    host, _, port = host_port.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), TIMEOUT):
            return True
    except OSError:
        return False


def fetch(url: str, method: str = "GET") -> bytes:
    """Return what a URL answers.

    Raises:
      OSError: nobody answers, or with an error.
    """
    import urllib.request  # a tenth of what the command takes to start

    request = urllib.request.Request(url, method=method)
    with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT) as answer:
        found: bytes = answer.read()
    return found


def _can_bind(family: int, address: tuple[object, ...]) -> bool:
    """Only an address of this machine can be bound to."""
    with socket.socket(family, socket.SOCK_STREAM) as one:
        try:
            one.bind(address)
        except OSError:
            return False
    return True
