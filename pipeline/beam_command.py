"""Commands that run on a runner of Beam's: `--runner`, `--set`, and Beam's own options behind `--`.

Imports nothing but click, so that help and typing errors answer at once.
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
    """A command that takes options of Beam behind `--`, as `-- --runner=FlinkRunner`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put what is behind `--` aside as `ctx.meta["beam"]`."""
        at = args.index("--") if "--" in args else len(args)
        ctx.meta["beam"] = args[at + 1 :]
        return super().parse_args(ctx, args[:at])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Tell of Beam's options, too."""
        return [*super().collect_usage_pieces(ctx), "[-- BEAM-OPTIONS]"]


def options(command: _Command) -> _Command:
    """Give a command the options --runner and --set."""
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
