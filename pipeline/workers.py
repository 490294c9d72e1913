"""`skewless workers`: the SDK workers on one machine of a Flink or Spark cluster."""

from __future__ import annotations

import logging
import signal
import sys

import click

from components.compat import quiet_environment
from schemas.secrets import RedactingFormatter


@click.command()
@click.option("--host", default="localhost", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=50_000, show_default=True, type=click.IntRange(0, 65_535), help="0 picks one."
)
def command(host: str, port: int) -> None:
    """Start workers for the engine on this machine, until interrupted.

    Run one of these on every machine with a task manager (Flink) or worker (Spark); `skewless run
    --runner flink --set workers.pool.address=localhost:50000` then uses them. All libraries are
    loaded once, so that a job's workers start at once. Anyone who reaches the port can run code
    here.
    """
    quiet_environment()
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter("%(asctime)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    logging.captureWarnings(True)
    click.echo("loading TensorFlow, TFX and Beam ...")
    import components.quiet  # noqa: F401 - before what it silences
    from components.worker_pool import serving

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with serving(host, port) as bound:
            click.echo(f"workers for the engine on this machine: {host}:{bound}")
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        click.echo("stopped")
