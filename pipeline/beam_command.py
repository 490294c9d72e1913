"""Commands that run on a Beam runner: `--runner`, `--set`, and Beam's own options after `--`.

Imports only click, so that help and typing errors appear at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from schemas.runners import RunnerName

NAMES: tuple[RunnerName, ...] = ("direct", "flink", "spark", "prism", "dataflow")
_Command = TypeVar("_Command", bound=Callable[..., Any])


class BeamCommand(click.Command):
    """A command that accepts Beam options after `--`, such as `-- --runner=FlinkRunner`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Store what follows `--` in `ctx.meta["beam"]`."""
        at = args.index("--") if "--" in args else len(args)
        ctx.meta["beam"] = args[at + 1 :]
        return super().parse_args(ctx, args[:at])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Add Beam's options to the usage line."""
        return [*super().collect_usage_pieces(ctx), "[-- BEAM-OPTIONS]"]


def options(command: _Command) -> _Command:
    """Add the options --runner and --set to a command."""
    runner = click.option(
        "--runner",
        "runner",
        type=click.Choice(NAMES),
        help="Where the stages that read and write rows run. [default: as pipeline.yaml says]",
    )
    settings = click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="A key of the runner's section, such as master=http://host:8081; may be repeated.",
    )
    return runner(settings(command))
