"""A server as a child process: prints its ports, serves until its standard input closes.

`python -m components.serve SAVED_MODEL --name taxi` prints {"http": PORT, "grpc": PORT} on one line
once the model answers. This is for code that cannot use the command line; users run
`skewless serve`.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import sys
import threading

import uvloop

from components.serve import folders, hosts
from components.serve.config import ModelConfig
from components.serve.server import Options, Ports, Server, run
from components.serve.settings import Address, Settings

# The parent process has its own timeout, and sets shorter ones where a test needs them. On a slow
# machine, neither a refusal nor a proof may turn into a 504.
_PATIENCE = 600.0


def main() -> None:
    """Serve one model at free ports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="a run, a serving folder or a SavedModel")
    parser.add_argument("--name", help="name of the model")
    parser.add_argument("--optional-columns", action="store_true", help="accept incomplete rows")
    given = parser.parse_args()
    config = ModelConfig(
        given.name or folders.default_name(given.folder), folders.find(given.folder)
    )
    options = Options(
        http=Address(port=0, allowed_hosts=hosts.LOCAL),
        grpc=Address(port=0),
        settings=Settings(seconds=_PATIENCE, optional_columns=given.optional_columns),
    )
    uvloop.run(_serve(config, options))
    sys.stdout.flush()
    os._exit(0)  # the interpreter would spend seconds on unloading TensorFlow


async def _serve(config: ModelConfig, options: Options) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, name="stdin", daemon=True).start()
    await run(Server([config], options), _tell, stop)


def _tell(ports: Ports) -> None:
    print(json.dumps(dataclasses.asdict(ports)), flush=True)


if __name__ == "__main__":
    main()
