"""`skewless stream`: new files or Pub/Sub messages, scored by a pushed model as they come."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from components import files, progress
from components.score.formats import FORMATS, Format
from pipeline import scoring, stream_folders
from pipeline.scoring import BeamCommand, Source
from schemas.errors import ConfigError
from schemas.spec import CsvSource

if TYPE_CHECKING:
    from components.score.model_handler import SavedModelHandler

STAGE = "stream"
_TOPIC = re.compile(r"projects/[^/]+/topics/[^/]+")
_SUBSCRIPTION = re.compile(r"projects/[^/]+/subscriptions/[^/]+")
# Beam's in-process runner for batches does not read Pub/Sub; this one does.
_PUBSUB_RUNNER = "apache_beam.runners.direct.direct_runner.BundleBasedDirectRunner"


@click.command(cls=BeamCommand)
@click.argument("source", metavar="RUN-OR-FOLDER")
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
    help="Where to put what cannot be scored, with reasons.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    default="parquet",
    show_default=True,
    help="Format of the files that scores of files are written to; messages' are JSON lines.",
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
    help="Attribute of messages that tells their event time. [default: when they were published]",
)
@click.option(
    "--window",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds of event time in a file of messages' scores.",
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0, min_open=True),
    default=0.05,
    show_default=True,
    help="Seconds that a message may wait for others, to be scored with them.",
)
@click.option(
    "--look",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="Seconds between two looks for new files and for a new version of the model.",
)
@click.option("--version", type=click.IntRange(0), help="Stay with this version. [default: newest]")
@click.option(
    "--dataset",
    metavar="DATASET",
    help="Take from its pipeline.yaml how CSV is written. [default: as the run's source was]",
)
@click.option(
    "--stop-after",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Look for new files no longer than this. [default: until interrupted]",
)
def command(source: str, version: int | None, **options: Any) -> None:
    """Score new files or messages with a pushed model, for as long as they come.

    RUN-OR-FOLDER is a run, such as runs/taxi, a folder of numbered versions, or a SavedModel. While
    the stream runs it takes each version that is pushed, unless --version says which to stay with.
    What follows `--` goes to Beam, such as --runner=DataflowRunner.
    """
    flow = Flow(source, version, **options)
    with scoring.told(STAGE) as (screen, board):
        screen.line(f"scored by {flow.model}; Ctrl-C ends it", "bold")
        with scoring.imports():
            importlib.import_module("components.evaluate.signature")  # TensorFlow
            importlib.import_module("components.score.new_files")
        with progress.stage(STAGE), scoring.until_interrupted():
            flow.run(click.get_current_context().meta["beam"])
        for line in flow.told(board.stages[STAGE].counts):
            screen.line(line)


class Flow:
    """What is scored, by which model, and where it goes."""

    def __init__(
        self,
        source: str,
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
        self._result: Any = None  # of the pipeline; None where a runner gave none before its end
        self._elsewhere = False  # whether a runner was named, which may go on without this process
        self.check()
        found = Source.of(source)
        self.model = found.version(version)
        stream_folders.check(pattern, self._folders(), [self.model, *found.kept])
        self._follow = found.serving if version is None else None
        self._csv: CsvSource = found.csv(dataset)
        self._columns = found.columns(dataset)

    def check(self) -> None:
        """Hold that there is one input and one output, and that topics are named as such.

        Raises:
          ConfigError: it is not so.
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
                    f"{name!r} is no {kind}",
                    where=option,
                    expected=f"projects/PROJECT/{kind}s/NAME",
                )

    def _folders(self) -> dict[str, tuple[str, str]]:
        """Return the folders that are written to, by option, and what their files end in."""
        of_files = self._subscription is None
        folders = {}
        if self._output is not None:
            folders["--output"] = (self._output, f".{self._kind}" if of_files else ".jsonl")
        if not _TOPIC.fullmatch(self._dead_letters):
            folders["--dead-letters"] = (self._dead_letters, ".parquet" if of_files else ".jsonl")
        return folders

    def run(self, arguments: list[str]) -> None:
        """Run the stream until it ends or is interrupted.

        Raises:
          KeyboardInterrupt: it was.
        """
        import apache_beam as beam

        from components.compat import beam_options

        self._elsewhere = any(argument.startswith("--runner") for argument in arguments)
        in_process = self._subscription and not self._elsewhere
        runner = [f"--runner={_PUBSUB_RUNNER}"] if in_process else []
        options = scoring.beam_options([*arguments, *runner], streaming=True)
        pipeline = beam.Pipeline(options=beam_options(options))
        if self._subscription is not None:
            self._messages(pipeline)
        else:
            self._files(pipeline)
        self._result = pipeline.run()
        self._result.wait_until_finish()

    def told(self, counted: Mapping[str, int]) -> list[str]:
        """Say in a few lines what became of the rows.

        Args:
          counted: what was counted in this process.
        """
        from apache_beam.runners.runner import PipelineState

        from components.score import counts

        scores = self._topic or self._output
        assert scores is not None  # held by check()
        if self._result is not None:
            # A template is done once it is left, and has no job to count anything.
            done = getattr(self._result, "has_job", True) and PipelineState.is_terminal(
                self._result.state
            )
            if self._elsewhere and not done:
                return ["the job is left to its runner, which has the counts", f"scores: {scores}"]
            # Each may lack some: the runner in this process until its end, this process always
            # where workers are others.
            counted = Counter(counted) | Counter(counts.of_result(self._result))
        return counts.in_words(counted, scores=scores, rejects=self._dead_letters)

    def _handler(self) -> SavedModelHandler:
        from components.score.model_handler import SavedModelHandler

        return SavedModelHandler(self.model, follow=self._follow, follow_seconds=self._look)

    def _messages(self, pipeline: Any) -> None:
        from apache_beam.io.gcp.pubsub import ReadFromPubSub

        from components.score.columns import ask
        from components.score.counts import REJECTED, SCORED
        from components.score.message_sinks import WriteMessageFiles, WriteToTopic
        from components.score.stream import ScoreMessages

        scored = (
            pipeline
            | "Messages"
            >> ReadFromPubSub(
                subscription=self._subscription,
                with_attributes=True,
                timestamp_attribute=self._timestamp_attribute,
            )
            | "Score"
            >> ScoreMessages(
                self._handler(), ask(self.model).inputs, keys=self._keys, max_seconds=self._wait
            )
        )
        for name, messages, place, counted_as in (
            ("Answers", scored.answers, self._topic or self._output, SCORED),
            ("DeadLetters", scored.dead_letters, self._dead_letters, REJECTED),
        ):
            assert place is not None  # held by check()
            write = (
                WriteToTopic(
                    place, timestamp_attribute=self._timestamp_attribute, counted_as=counted_as
                )
                if _TOPIC.fullmatch(place)
                else WriteMessageFiles(
                    files.absolute(place), seconds=self._window, counted_as=counted_as
                )
            )
            _ = messages | f"Write{name}" >> write

    def _files(self, pipeline: Any) -> None:
        import apache_beam as beam
        from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp

        from components.score import counts, message_sinks, new_files
        from components.score.columns import ask
        from components.score.sources import Wanted

        assert self._pattern is not None  # held by check()
        kind = self._kind if self._topic is None else "jsonl"
        wanted = Wanted(ask(self.model).inputs, self._keys, self._csv, kind, self._columns)
        until = MAX_TIMESTAMP
        if self._stop_after is not None:  # counted from here: to fetch a model may take longer
            until = Timestamp.now() + self._stop_after
        found = pipeline | "Files" >> new_files.ScoreNewFiles(
            files.absolute(self._pattern),
            self._handler(),
            wanted,
            seconds=self._look,
            stop=until,
        )
        if self._topic is not None:
            rows = found.scored | "Rows" >> beam.FlatMapTuple(new_files.rows_as_messages)
            _ = rows | "WriteRows" >> message_sinks.WriteToTopic(self._topic)
        else:
            folder = files.absolute(str(self._output))
            _ = found.scored | "WriteRows" >> new_files.WriteScoredFiles(folder, self._kind)
        if _TOPIC.fullmatch(self._dead_letters):
            dead = found.rejects | "Dead" >> beam.FlatMapTuple(new_files.rejects_as_messages)
            _ = dead | "WriteDead" >> message_sinks.WriteToTopic(
                self._dead_letters, counted_as=counts.REJECTED
            )
        else:
            folder = files.absolute(self._dead_letters)
            _ = found.rejects | "WriteDead" >> new_files.WriteRejectFiles(folder)
