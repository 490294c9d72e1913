"""The command `skewless`: reads the command line, runs a subcommand and explains failures.

Only click is imported here. A subcommand's module is imported when the subcommand is used, and its
heavy imports follow when it starts to work, so that help and typing errors appear at once.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence

import click

from pipeline import answers
from pipeline.shortages import limited, shortage
from schemas.errors import SkewlessError, did_you_mean
from schemas.secrets import redacted

# The module that holds the `command`, and the first sentence of its help.
COMMANDS = {
    "run": ("pipeline.run_command", "Run DATASET from raw rows to a proven, pushed model."),
    "tune": (
        "pipeline.tune",
        "Search for options of the model of DATASET with a smaller loss on eval.",
    ),
    "init": ("pipeline.init", "Describe TABLE in two files that `skewless run` can use."),
    "check": (
        "pipeline.check",
        "Check both files of DATASET, the headers of all its files, and its first rows.",
    ),
    "show": (
        "pipeline.show",
        "Show what a run makes of each column of DATASET, or what it made of COLUMN.",
    ),
    "schema": (
        "pipeline.schema",
        "Show or accept what new data would change in the schema.pbtxt of a dataset.",
    ),
    "rejects": (
        "pipeline.rejects",
        "Show the records that the newest run in RUN rejected, by reason.",
    ),
    "data": ("pipeline.data", "Write a page about the data of the newest run in RUN."),
    "report": (
        "pipeline.report_command",
        "Show where the report of RUN is; write it if the run has none.",
    ),
    "runs": ("pipeline.runs", "List the runs of a pipeline, or of all pipelines, newest first."),
    "compare": ("pipeline.compare", "Show how each further RUN differs from the first one."),
    "serve": ("pipeline.serve", "Serve models over HTTP and gRPC, as TensorFlow Serving does."),
    "predict": ("pipeline.predict", "Score the rows of INPUT... with a pushed model."),
    "explain": (
        "pipeline.explain",
        "Show what each column adds to the answer of VERSION for the row in ROW.json.",
    ),
    "stream": (
        "pipeline.stream",
        "Score new files or messages with a pushed model, for as long as they come.",
    ),
    "skew": ("pipeline.skew", "Show how far requests have moved from the training data of RUN."),
    "workers": (
        "pipeline.workers",
        "Start workers for the engine on this machine, until interrupted.",
    ),
    "train-worker": (
        "pipeline.train_worker",
        "Train together with a run on another machine, which keeps its results in FOLDER.",
    ),
    "doctor": (
        "pipeline.doctor",
        "Show which versions, memory and disk are in use and whether each fits.",
    ),
}
INTERRUPTED = 130  # 128 + SIGINT, the shells' convention

EXIT_CODES = {
    0: "it succeeded; of `run`: a model is published, or was already, or the run ended as chosen",
    1: "any other failure; of `doctor`: something does not fit",
    2: "pipeline.yaml, schema.pbtxt or the command line is wrong",
    3: "data cannot be read or written, or a gate refused them; of `skew`: something moved",
    4: "the model is not blessed, or serving would not give what training computed",
    INTERRUPTED: "interrupted",
}


class LazyGroup(click.Group):
    """A group that imports subcommands on use and suggests the nearest name after a typo."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the subcommands' names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the subcommand; return None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command: click.Command = importlib.import_module(module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of subcommands without importing them."""
        limit = formatter.width - 6 - max(map(len, COMMANDS))
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, click.Command(name, help=sentence).get_short_help_str(limit))
                    for name, (_, sentence) in COMMANDS.items()
                ]
            )
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in EXIT_CODES.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand that `args` names.

        Raises:
          click.UsageError: the name is unknown; the message suggests the nearest one.
        """
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            ctx.fail(f"there is no command {name!r}; {did_you_mean(name, COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="skewless", message="%(prog)s %(version)s")
def cli() -> None:
    """Train, prove and publish a model from a table, without training-serving skew."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; None as `argv` means `sys.argv`."""
    code = _run(argv)
    if argv is None and "tensorflow" in sys.modules:
        # The interpreter would spend seconds on unloading modules one by one.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _run(argv: Sequence[str] | None) -> int:
    # Without this, pydantic reads the metadata of every installed package to look for plugins.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        if argv is None and limited():
            from pipeline.supervision import supervised

            if (ended := supervised()) is not None:
                return ended
        code = cli.main(argv, prog_name="skewless", standalone_mode=False)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        click.echo(redacted(shown.getvalue()), nl=False, err=True)
        return error.exit_code
    except SkewlessError as error:
        arguments = sys.argv[1:] if argv is None else argv
        if answers.FLAG in arguments:
            answers.show_failure(arguments[0], error)
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except (OSError, MemoryError) as error:  # such as a folder that may not be written
        lack = shortage("the command failed", error)
        click.echo(f"error: {lack or redacted(str(error))}", err=True)
        return lack.exit_code if lack else 1
    except (KeyboardInterrupt, click.Abort) as error:
        # click raises Abort from the interrupt, whose text says what happens to a job elsewhere
        reason = str(error.__cause__ or error)
        click.echo(f"interrupted: {redacted(reason)}" if reason else "interrupted", err=True)
        return INTERRUPTED
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
