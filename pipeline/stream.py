"""`skewless stream`: scores new files or Pub/Sub messages with a pushed model as they arrive."""

from __future__ import annotations

import importlib
import logging
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from components import files, progress
from components.score.formats import FORMATS, Format
from components.score.formats import TOPIC as _TOPIC
from pipeline import scoring, stream_folders
from pipeline.beam_command import BeamCommand
from pipeline.scoring import ModelFolder
from schemas.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.stream_steps import Steps

LOGGER = logging.getLogger(__name__)
STAGE = "stream"
_SUBSCRIPTION = re.compile(r"projects/[^/]+/subscriptions/[^/]+")
# Beam's in-process runners, under the names that Beam accepts. They keep all state of an unbounded
# pipeline, so here a stream is a sequence of bounded pipelines: docs/decisions/0008.
_IN_PROCESS = ("", "direct", "switchingdirect", "bundlebaseddirect", "fnapi")


@click.command(cls=BeamCommand)
@click.argument("run_or_folder", metavar="RUN-OR-FOLDER")
@click.option("--input", "pattern", metavar="PATTERN", help="Score each file that matches, once.")
@click.option(
    "--subscription", metavar="NAME", help="Score messages: projects/PROJECT/subscriptions/NAME."
)
@click.option("--output", metavar="DIR", help="Write scores to files in this folder.")
@click.option("--topic", metavar="NAME", help="Publish scores: projects/PROJECT/topics/NAME.")
@click.option(
    "--dead-letters",
    required=True,
    metavar="DIR|TOPIC",
    help="Where to write what cannot be scored, with reasons.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    default="parquet",
    show_default=True,
    help="Format of the scores of files; the scores of messages are JSON lines.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="COLUMN",
    help="Column or field to copy to the scores; may be repeated.",
)
@click.option(
    "--timestamp-attribute",
    metavar="NAME",
    help="Attribute of messages with their event time. [default: the time of publishing]",
)
@click.option(
    "--window",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds of event time in one file of messages' scores.",
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0, min_open=True),
    default=0.05,
    show_default=True,
    help="Seconds that a message may wait for others to be scored together.",
)
@click.option(
    "--look",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="Interval in seconds of looking for new files and for a new version of the model.",
)
@click.option("--version", type=click.IntRange(0), help="Use only this version. [default: newest]")
@click.option(
    "--dataset",
    metavar="DATASET",
    help="Take the format of the files from its pipeline.yaml. [default: as the run's source was]",
)
@click.option(
    "--stop-after",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Stop looking for new files or messages after this time. [default: until interrupted]",
)
def command(run_or_folder: str, version: int | None, **options: Any) -> None:
    """Score new files or messages with a pushed model, for as long as they come.

    RUN-OR-FOLDER is a run, such as runs/taxi, a folder of numbered versions, or a SavedModel. A
    running stream takes up each version that is pushed, unless --version names the one to use.
    What follows `--` goes to Beam, such as --runner=DataflowRunner.
    """
    flow = Flow(run_or_folder, version, **options)
    with scoring.on_screen(STAGE) as (screen, board):
        screen.line(f"scored by {flow.model}; Ctrl-C ends it", "bold")
        with scoring.imports():
            importlib.import_module("components.evaluate.signature")  # TensorFlow
            importlib.import_module("components.score.new_files")
        try:
            with progress.stage(STAGE), scoring.until_interrupted() as interrupts:
                flow.run(click.get_current_context().meta["beam"], screen.line, interrupts.check)
        finally:
            for line in flow.summary(board.stages[STAGE].counts):
                screen.line(line)


class Flow:
    """The input, the model and the outputs of a stream."""

    def __init__(
        self,
        run_or_folder: str,
        version: int | None,
        *,
        pattern: str | None,
        subscription: str | None,
        output: str | None,
        topic: str | None,
        dead_letters: str,
        kind: Format,
        keys: tuple[str, ...],
        timestamp_attribute: str | None,
        window: float,
        wait: float,
        look: float,
        dataset: str | None,
        stop_after: float | None,
    ) -> None:
        self._pattern, self._subscription = pattern, subscription
        self._output, self._topic = output, topic
        self._dead_letters = dead_letters
        self._kind, self._keys = kind, keys
        self._timestamp_attribute = timestamp_attribute
        self._window, self._wait, self._look = window, wait, look
        self._stop_after = stop_after
        self._started = False
        self._result: Any = None  # of a job on another runner, which may outlive this process
        self.check()
        models = ModelFolder.of(run_or_folder)
        self.model = models.version(version)
        stream_folders.check(pattern, self._folders(), [self.model, *models.kept])
        self._follow = models.serving if version is None else None
        self._written = models.written(dataset)
        self._columns = models.columns(dataset)

    def check(self) -> None:
        """Check that there is one input and one output, and that topics have valid names.

        Raises:
          ConfigError: otherwise.
        """
        for one, other, names in (
            (self._pattern, self._subscription, "--input or --subscription"),
            (self._output, self._topic, "--output or --topic"),
        ):
            if (one is None) == (other is None):
                raise ConfigError(f"give {names}", expected="exactly one of the two")
        for option, name, pattern, kind in (
            ("--topic", self._topic, _TOPIC, "topic"),
            ("--subscription", self._subscription, _SUBSCRIPTION, "subscription"),
        ):
            if name is not None and not pattern.fullmatch(name):
                raise ConfigError(
                    f"{name!r} is not a {kind}",
                    where=option,
                    expected=f"projects/PROJECT/{kind}s/NAME",
                )

    def _folders(self) -> dict[str, tuple[str, str]]:
        """Return the output folders, by option, with the ending of their files."""
        of_files = self._subscription is None
        folders = {}
        if self._output is not None:
            folders["--output"] = (self._output, f".{self._kind}" if of_files else ".jsonl")
        if not _TOPIC.fullmatch(self._dead_letters):
            folders["--dead-letters"] = (self._dead_letters, ".parquet" if of_files else ".jsonl")
        return folders

    def run(
        self, arguments: list[str], warn: Callable[[str], None], check: Callable[[], None]
    ) -> None:
        """Run the stream until it ends or is interrupted.

        Args:
          arguments: Beam's options.
          warn: receives what is wrong for now, and will be tried again.
          check: raises KeyboardInterrupt if there was an interrupt; called between batches.

        Raises:
          KeyboardInterrupt: the stream was interrupted.
          ConfigError: an option has no effect on this runner.
        """
        from pipeline import beam_jobs

        options = beam_jobs.options_of(arguments)
        runner = beam_jobs.runner_of(options)
        if runner.rpartition(".")[2].lower().removesuffix("runner") not in _IN_PROCESS:
            self._run_elsewhere(beam_jobs.options_of(arguments, streaming=True))
            return
        logging.getLogger("apache_beam").setLevel(logging.WARNING)  # it logs a page per pipeline
        if self._subscription is not None:
            self._run_on_messages(options, warn, check)
        else:
            self._run_on_files(options, warn, check)

    def summary(self, counted: Mapping[str, int]) -> list[str]:
        """Summarize what became of the rows in a few lines; empty if the stream did not start.

        Args:
          counted: the counters of this process.
        """
        if not self._started:
            return []
        from components.score import counts
        from pipeline import beam_jobs

        scores = self._topic or self._output
        assert scores is not None  # checked by check()
        if self._result is not None:
            # A template is finished once it is written, and has no job with counters.
            done = getattr(self._result, "has_job", True) and beam_jobs.is_done(self._result)
            if not done:
                return ["the job continues on its runner, which counts", f"scores: {scores}"]
            # This process has no counters of workers elsewhere.
            counted = Counter(counted) | Counter(counts.of_result(self._result))
        return counts.in_words(counted, scores=scores, rejects=self._dead_letters)

    def _run_elsewhere(self, options: Any) -> None:
        """Run one unbounded pipeline, on a runner that can keep its state."""
        from pipeline import beam_jobs

        if self._subscription is not None and self._stop_after is not None:
            raise ConfigError(
                "--stop-after ends only a stream of messages in this process",
                where="--stop-after, and --runner after --",
                remedy="leave --stop-after out, and drain the job to end it",
            )
        pipeline = beam_jobs.pipeline_of(options)
        if self._subscription is not None:
            self._steps().read_and_score_messages(pipeline, self._subscription, self._wait)
        else:
            assert self._pattern is not None  # checked by check()
            self._steps().find_and_score_files(pipeline, self._pattern, self._stop_after)
        self._result = pipeline.run()
        self._started = True
        self._result.wait_until_finish()

    def _run_on_files(
        self, options: Any, warn: Callable[[str], None], check: Callable[[], None]
    ) -> None:
        """Look for files, and score each batch of new files in a bounded pipeline."""
        from components.score.bounded import BoundedPipeline
        from components.score.looks import look_for_files
        from pipeline import beam_jobs

        assert self._pattern is not None  # checked by check()
        until = self._until()
        pipeline = BoundedPipeline(self._steps().score_files, options)
        self._started = True
        for entries in look_for_files(
            files.absolute(self._pattern),
            seconds=self._look,
            until=until,
            warn=warn,
            check=check,
        ):
            _log(f"{len(entries):,} files", pipeline.run(beam_jobs.as_metadata(entries)))

    def _run_on_messages(
        self, options: Any, warn: Callable[[str], None], check: Callable[[], None]
    ) -> None:
        """Pull messages, score them in bounded pipelines, and acknowledge those written."""
        from components.score import subscription
        from components.score.bounded import BoundedPipeline

        assert self._subscription is not None
        until = self._until()
        pipeline = BoundedPipeline(self._steps().score_messages, options)
        self._started = True
        due = subscription.after(self._wait)
        if self._output is not None:  # has a file for each window
            due = subscription.at_end_of_window(self._window)
        with subscription.Subscription(
            self._subscription,
            timestamp_attribute=self._timestamp_attribute,
            warn=warn,
            check=check,
        ) as messages:
            for batch in messages.batches(due, until):
                _log(f"{len(batch):,} messages", pipeline.run(batch))

    def _steps(self) -> Steps:
        from pipeline.stream_steps import Steps

        return Steps(
            model=self.model,
            follow=self._follow,
            look=self._look,
            source=self._written,
            columns=self._columns,
            keys=self._keys,
            kind=self._kind,
            timestamp_attribute=self._timestamp_attribute,
            window=self._window,
            scores=str(self._topic or self._output),
            dead_letters=self._dead_letters,
        )

    def _until(self) -> float:
        """Return when to look for the last time, on the clock of `time.monotonic`."""
        return math.inf if self._stop_after is None else time.monotonic() + self._stop_after


def _log(what: str, counted: Mapping[str, int]) -> None:
    LOGGER.info("%s: %s", what, ", ".join(f"{name} {n:,}" for name, n in counted.items()))
