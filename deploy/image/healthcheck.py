#!/opt/skewless/bin/python -I
"""Checks the health of what runs in this container: exit code 0 if it is healthy, otherwise 1.

`skewless serve` is healthy when its models are ready, a pool of Beam workers when it accepts
connections, and anything else while it runs.
"""

from __future__ import annotations

import argparse
import socket
import ssl
import sys
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

HTTP_PORT = 8501
WORKER_POOL_PORT = 50_000  # boot's default
SECONDS = 5.0


def check(words: Sequence[str]) -> None:
    """Check the process with this command line.

    Raises:
      OSError, HTTPException: it does not answer, or is not healthy.
    """
    names = [Path(word).name for word in words]
    here = names.index("skewless") + 1 if "skewless" in names else len(words)
    subcommand, arguments = "".join(words[here : here + 1]), words[here + 1 :]
    if subcommand == "serve":
        ask_server(arguments)
    elif subcommand == "workers" or {"-worker_pool", "--worker_pool"} & set(words):
        host, port = address(arguments, WORKER_POOL_PORT)
        socket.create_connection((host, port), SECONDS).close()


def address(arguments: Sequence[str], port: int) -> tuple[str, int]:
    """Return the address of a process with these arguments, as seen from this machine."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=port)
    given, _ = parser.parse_known_args(arguments)
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
    return everywhere.get(given.host, given.host), given.port


def ask_server(arguments: Sequence[str]) -> None:
    """Ask a server with these arguments whether it is ready; see `check`."""
    host, port = address(arguments, HTTP_PORT)
    connection = HTTPConnection(host, port, timeout=SECONDS)
    if any(word.partition("=")[0] == "--tls-certificate" for word in arguments):
        # The certificate is for the clients' name of the server, which this address is not.
        trusting = ssl.create_default_context()
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        connection = HTTPSConnection(host, port, timeout=SECONDS, context=trusting)
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    if answer.status != 200:
        raise OSError(f"/readyz answers {answer.status}: {answer.read(200).decode()}")


def main(cmdline: str = "/proc/1/cmdline") -> int:
    """Check the process whose command line is in a file; print what is wrong."""
    try:
        check(Path(cmdline).read_bytes().decode().split("\0"))
    except (OSError, HTTPException) as error:
        print(f"unhealthy: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
