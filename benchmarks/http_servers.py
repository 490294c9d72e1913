"""Our HTTP connection beside uvicorn and granian: one process, one model, one app behind all three.

`python -m benchmarks.http_servers SAVED_MODEL`, of the taxi model, prints the table of
docs/decisions/0005-http-server.md. The servers are asked in turns, round after round, so that what
else the machine does falls on all of them alike. The libraries' adapters neither check the Host
header and the token before the body nor bound heads, bodies and times, as our connection does.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import os
import socket
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import uvloop

from benchmarks import load, serving
from components.serve import folders, hosts
from components.serve.app import App
from components.serve.config import ModelConfig
from components.serve.listener import Listener
from components.serve.messages import Answer, Request
from components.serve.server import load_saved_model
from components.serve.service import Service
from components.serve.settings import Address, Settings
from components.serve.versions import Models

OURS = "ours"
_MISSING = """uvicorn and granian are not installed beside the project's packages. To do:
  pip install --no-deps --target .cache/benchmarks/http uvicorn granian
  PYTHONPATH=.cache/benchmarks/http python -m benchmarks.http_servers SAVED_MODEL"""
_HOST = "127.0.0.1"
_SWITCH_SECONDS = 0.0005  # as `skewless serve` sets it


@dataclass(frozen=True)
class Turn:
    """One load on one server.

    Attributes:
      rate: how it was answered.
      loop: CPU seconds of the event loop's thread for each request: it is busy all the time, so
        they bound the requests a second on a machine that has cores to spare.
      cpu: CPU seconds of all threads for each request.
    """

    rate: serving.Rate
    loop: float
    cpu: float


class Asgi:
    """An app as uvicorn and granian call it by ASGI."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        answer = await _answer(self._app, scope["method"], scope["path"], body)
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", b"%d" % len(answer.body)),
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


class Rsgi:
    """An app as granian calls it by RSGI, its own and leaner interface."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer a request."""
        answer = await _answer(self._app, scope.method, scope.path, await protocol())
        headers = [("content-type", answer.content_type)]
        protocol.response_bytes(answer.status, headers, answer.body)


async def _answer(app: App, method: str, path: str, body: bytes) -> Answer:
    answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    app.answer(Request(method, path, body), answer.set_result)
    return await answer


class Servers:
    """The servers, in one event loop over one app."""

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}
        self._running: list[asyncio.Task[Any]] = []  # the loop itself keeps no task alive

    async def start(self, saved_model: str) -> None:
        """Load the model and listen."""
        settings = Settings()
        models = Models(load_saved_model, settings.queue)
        models.configure([ModelConfig("taxi", folders.find(saved_model))])
        await models.update()
        service = Service(models, settings)
        app = App(service)
        address = Address(port=0, allowed_hosts=hosts.LOCAL)
        self.ports[OURS] = await Listener(app, address, service.budget).start()
        await self._uvicorn(app)
        await self._granian("granian, ASGI", Asgi(app), "asginl")
        await self._granian("granian, RSGI", Rsgi(app), "rsgi")

    async def _uvicorn(self, app: App) -> None:
        import uvicorn  # type: ignore[import-not-found]

        config = uvicorn.Config(
            Asgi(app), http="httptools", lifespan="off", log_level="error", access_log=False
        )
        listening = socket.create_server((_HOST, 0))
        serve = uvicorn.Server(config).serve([listening])
        await self._listens("uvicorn", serve, listening.getsockname()[1])

    async def _granian(self, name: str, app: Asgi | Rsgi, interface: str) -> None:
        from granian.constants import Interfaces  # type: ignore[import-not-found]
        from granian.server.embed import Server  # type: ignore[import-not-found]

        with socket.create_server((_HOST, 0)) as probe:
            port = probe.getsockname()[1]
        server = Server(app, _HOST, port, interface=Interfaces(interface), log_enabled=False)
        await self._listens(name, server.serve(), port)

    async def _listens(self, name: str, serve: Any, port: int) -> None:
        """Run a server, and wait until it takes connections."""
        running = asyncio.get_running_loop().create_task(serve)
        self._running.append(running)
        while not running.done():
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(_HOST, port)
                writer.close()
                self.ports[name] = port
                return
            await asyncio.sleep(0.05)
        raise RuntimeError(f"{name} does not serve") from running.exception()


async def measured(saved_model: str, rounds: int, seconds: float) -> list[Turn]:
    """Ask all servers in turns, so many rounds of each load after one that warms up."""
    servers, turns = Servers(), []
    await servers.start(saved_model)
    for connections, rows in serving.CASES:
        for number in range(1 + rounds):
            for name, port in servers.ports.items():
                began = time.thread_time(), time.process_time()
                rate = await asyncio.to_thread(serving.rate, name, port, connections, rows, seconds)
                requests = rate.requests * (seconds + load.WARM_UP_SECONDS)
                took = time.thread_time() - began[0], time.process_time() - began[1]
                if number:
                    turns.append(Turn(rate, *(each / requests for each in took)))
    return turns


def table(turns: Sequence[Turn]) -> list[str]:
    """Return the medians of all rounds; `ours` is compared with each server round by round."""
    lines = [
        "| asked | server | p50 ms | p99 ms | requests/s | loop µs | CPU µs | ours / it |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for connections, rows in serving.CASES:
        case: dict[str, list[Turn]] = {}
        for turn in turns:
            if (turn.rate.connections, turn.rate.rows) == (connections, rows):
                case.setdefault(turn.rate.server, []).append(turn)
        for name, own in case.items():
            rates = sorted(t.rate.requests for t in own)
            ratio = statistics.median(
                a.rate.requests / b.rate.requests for a, b in zip(case[OURS], own, strict=True)
            )
            lines.append(
                f"| {connections} x {rows} | {name}"
                f" | {statistics.median(t.rate.p50 for t in own):.2f}"
                f" | {statistics.median(t.rate.p99 for t in own):.2f}"
                f" | {statistics.median(rates):,.0f} ({rates[0]:,.0f} to {rates[-1]:,.0f})"
                f" | {statistics.median(t.loop for t in own) * 1e6:,.0f}"
                f" | {statistics.median(t.cpu for t in own) * 1e6:,.0f}"
                f" | {'' if name == OURS else f'{ratio:.2f}'} |"
            )
    return lines


def main() -> None:
    """Measure a pushed version, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.http_servers", description=main.__doc__
    )
    parser.add_argument("saved_model", help="runs/taxi/serving/1")
    parser.add_argument("--rounds", type=int, default=7, help="of each server and load")
    parser.add_argument("--seconds", type=float, default=2.0, help="of one load")
    given = parser.parse_args()
    if not all(map(importlib.util.find_spec, ("uvicorn", "granian"))):
        sys.exit(_MISSING)
    sys.setswitchinterval(_SWITCH_SECONDS)
    saved_model = os.path.abspath(given.saved_model)
    turns = uvloop.run(measured(saved_model, given.rounds, given.seconds))
    print("\n".join(table(turns)))


if __name__ == "__main__":
    main()
