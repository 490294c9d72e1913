"""`skewless serve`: a pushed model, asked over HTTP as TensorFlow Serving is.

What is wrong with the path or the options is said before anything heavy is imported.
"""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING

import click

from components.compat import quiet_environment
from components.serve import folders
from components.serve.folders import Served
from components.serve.settings import Address, Limits, Settings

if TYPE_CHECKING:
    from components.serve.app import Model

_POSITIVE = click.IntRange(min=1)


@click.command()
@click.argument("source", metavar="RUN-OR-FOLDER")
@click.option("--host", default=Address.host, show_default=True, help="Interface to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=Address.port,
    show_default=True,
    help="Port to listen at; 0 for any that is free.",
)
@click.option("--name", help="Name of the model in paths. [default: the run's]")
@click.option("--version", type=click.IntRange(0), help="Version to serve. [default: the newest]")
@click.option(
    "--optional-columns",
    is_flag=True,
    help="Take rows that leave columns out, as missing; TensorFlow Serving refuses them.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=Settings.seconds,
    show_default=True,
    help="Seconds after which a request is given up.",
)
@click.option(
    "--max-bytes",
    type=_POSITIVE,
    default=Address.max_bytes,
    show_default=True,
    help="Longest body of a request.",
)
@click.option(
    "--max-rows",
    type=_POSITIVE,
    default=Settings.max_rows,
    show_default=True,
    help="Most rows of a request.",
)
@click.option(
    "--max-waiting",
    type=_POSITIVE,
    default=Limits.requests,
    show_default=True,
    help="Requests that may wait for the model; more are refused.",
)
def command(
    source: str,
    host: str,
    port: int,
    name: str | None,
    version: int | None,
    optional_columns: bool,
    timeout: float,
    max_bytes: int,
    max_rows: int,
    max_waiting: int,
) -> None:
    """Serve a model over HTTP, as TensorFlow Serving does.

    RUN-OR-FOLDER is a run, such as runs/taxi, a folder of numbered versions, or a SavedModel. The
    server stops on SIGTERM or Ctrl-C, once it has answered what it was asked.
    """
    served = folders.find(source, version=version, name=name)
    settings = Settings(
        name=served.name,
        version=served.version,
        seconds=timeout,
        max_rows=max_rows,
        optional_columns=optional_columns,
        queue=Limits(requests=max_waiting),
    )
    address = Address(host=host, port=port, max_bytes=max_bytes, drain_seconds=timeout)
    asyncio.run(_serve(served, settings, address))


async def _serve(served: Served, settings: Settings, address: Address) -> None:
    from components.serve.app import App
    from components.serve.listener import Listener

    def load() -> Model:
        quiet_environment()
        # Google's libraries tell every start that Python 3.10 ages.
        warnings.filterwarnings("ignore", category=FutureWarning, module="google.api_core")
        import tensorflow as tf

        from components.serve.model import SavedModel

        tf.get_logger().setLevel("ERROR")  # it calls sessions, which servers run, deprecated
        return SavedModel(served.saved_model)

    def ready(port: int) -> None:
        host = f"[{address.host}]" if ":" in address.host else address.host
        url = f"http://{host}:{port}/v1/models/{served.name}"
        click.echo(f"serving {served.name} version {served.version} at {url}")

    await Listener(App(settings), address).run(load, ready)
