"""The speed of `skewless serve`, compared with a plain FastAPI server for the same model.

`python -m benchmarks.serving SAVED_MODEL`, for the taxi model, prints the table that `python -m
benchmarks` has for its own run. Server and client share the machine. If fastapi and uvicorn cannot
be installed, their rows are omitted, with a message.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.places import CACHE, ROOT
from schemas.strict import Strict

CASES = ((1, 1), (32, 1), (32, 16))  # connections, rows a request
SECONDS = 5.0
ROW = {
    "fare": 12.5,
    "trip_miles": 3.2,
    "trip_seconds": 600.0,
    "payment_type": "Credit Card",
    "company": "Flash Cab",
    "trip_start_month": 5.0,
    "trip_start_day": 3.0,
    "trip_start_hour": 12.0,
    "pickup_community_area": 8.0,
    "pickup_latitude": 41.9,
    "pickup_longitude": -87.6,
    "dropoff_community_area": 8.0,
    "dropoff_latitude": 41.9,
    "dropoff_longitude": -87.6,
    "dropoff_census_tract": 17031081700.0,
}

_PATH = "/v1/models/taxi:predict"
_PACKAGES = CACHE / "fastapi"
_START_SECONDS = 120.0


class Rate(Strict):
    """The speed of one server under one load.

    Attributes:
      server: which server.
      connections: their number; each sends its next request after an answer.
      rows: rows of a request.
      p50: the median response time in milliseconds.
      p99: the 99th percentile of it.
      requests: answers a second.
    """

    server: str
    connections: int
    rows: int
    p50: float
    p99: float
    requests: float


def measured(saved_model: str, say: Callable[[str], None]) -> list[Rate]:
    """Measure all loads on a pushed version of the taxi model, ours first."""
    with _ours(saved_model) as port:
        rates = [rate("skewless serve", port, *case) for case in CASES]
    if not _installed():
        say("FastAPI could not be installed, so there is no yardstick of serving")
        return rates
    with _plain(saved_model) as port:
        rates += [rate("plain FastAPI", port, *case) for case in CASES]
    return rates


def one_row(saved_model: str, row: Mapping[str, Any]) -> Rate:
    """Measure how fast a SavedModel answers requests of one row, one at a time."""
    with _ours(saved_model) as port:
        return rate("skewless serve", port, 1, 1, row=row)


def rate(
    server: str,
    port: int,
    connections: int,
    rows: int,
    seconds: float = SECONDS,
    row: Mapping[str, Any] = ROW,
) -> Rate:
    """Return how a server that listens at a port of this machine answers a load."""
    document = {"signature_name": "raw_columns", "instances": [row] * rows}
    body = json.dumps(document, separators=(",", ":"))
    arguments = [str(port), _PATH, str(connections), str(seconds)]
    command = [sys.executable, "-m", "benchmarks.load", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, input=body, stdout=subprocess.PIPE, text=True, check=True
    )
    figures = json.loads(done.stdout)
    return Rate(server=server, connections=connections, rows=rows, **figures)


def free_port() -> int:
    """Return a port of this machine that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _ours(saved_model: str) -> Iterator[int]:
    command = [sys.executable, "-m", "components.serve", saved_model, "--name", "taxi"]
    with _process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["http"]


@contextlib.contextmanager
def _plain(saved_model: str) -> Iterator[int]:
    port = free_port()
    script = str(ROOT / "benchmarks" / "plain_server.py")
    env = {**os.environ, "PYTHONPATH": str(_PACKAGES), "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, script, saved_model, str(port)]
    with _process(command, env=env, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        yield port


@contextlib.contextmanager
def _process(command: list[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    with subprocess.Popen(command, cwd=ROOT, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def _installed() -> bool:
    """Install the packages that the reference server needs in addition, once."""
    if _PACKAGES.is_dir():
        return True
    try:
        uv = subprocess.check_output([ROOT / "scripts" / "uv.sh"], text=True).strip()
        install = [uv, "pip", "install", "-q", "--python", sys.executable, "--target"]
        subprocess.run([*install, str(_PACKAGES), "fastapi", "uvicorn"], check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def table(rates: Sequence[Rate]) -> list[str]:
    """Return the table of response times; server and client share the machine."""
    header = "| server | connections | rows a request | p50 ms | p99 ms | requests/s | rows/s |"
    lines = ["## Serving", "", header, "|---|---|---|---|---|---|---|"]
    lines += [
        f"| {r.server} | {r.connections} | {r.rows} | {r.p50:.2f} | {r.p99:.2f}"
        f" | {r.requests:,.0f} | {r.requests * r.rows:,.0f} |"
        for r in rates
    ]
    return lines


def main() -> None:
    """Measure a pushed version, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=main.__doc__)
    parser.add_argument("saved_model", help="runs/taxi/serving/1")
    given = parser.parse_args()
    print("\n".join(table(measured(os.path.abspath(given.saved_model), say=print))))


if __name__ == "__main__":
    main()
