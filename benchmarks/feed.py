"""The speed of the training feed: examples a second from disk into the model.

Run it as a program, in a separate process: `python -m benchmarks.feed EXAMPLES GRAPH RESULT`, where
EXAMPLES and GRAPH are outputs of the transform stage; RESULT receives a `FeedRates`.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import measure
from components import progress
from components.compat import quiet_environment
from schemas import catalog
from schemas.layout import FILE_NAME, Layout
from schemas.model import Model
from schemas.strict import Strict

BATCH_SIZE = 8192
_EPOCHS = 6
_FEED_SECONDS = 3.0


class FeedRates(Strict):
    """Training examples a second at batches of `batch_size`.

    Attributes:
      batch_size: examples a step.
      examples: examples an epoch.
      arrays: from Parquet to shuffled numpy batches.
      dataset: the same, through tf.data into tensors.
      fit: while the wide & deep model trains on them, from the end of the first epoch to the end of
        the last; the time includes the evaluation after each epoch, but not its examples.
    """

    batch_size: int
    examples: int
    arrays: float
    dataset: float
    fit: float


def measured(examples: str, graph: str, work: Path) -> FeedRates:
    """Measure in a fresh process; `work` is a folder for its log and result.

    Raises:
      RuntimeError: it failed; has the end of its log.
    """
    log, result = work / "feed.log", work / "feed.json"
    command = [sys.executable, "-m", "benchmarks.feed", examples, graph, str(result)]
    if measure.run(command, log=log).code:
        raise RuntimeError(f"measuring the training feed failed:\n{measure.last_lines(log)}")
    return FeedRates.model_validate_json(result.read_text(encoding="utf-8"))


def rates(examples: str, graph: str) -> FeedRates:
    """Measure in this process."""
    from components.train.inputs import Feed

    layout = Layout.model_validate_json(Path(graph, FILE_NAME).read_text(encoding="utf-8"))
    feed = Feed(examples, "train", layout, batch_size=BATCH_SIZE, seed=1)
    return FeedRates(
        batch_size=BATCH_SIZE,
        examples=feed.rows,
        arrays=_epochs_per_second(feed) * feed.rows,
        dataset=_epochs_per_second(feed.dataset().__iter__) * feed.rows,
        fit=_fit_rate(examples, graph, feed.rows),
    )


def _epochs_per_second(epoch: Callable[[], Iterator[object]]) -> float:
    """Run through epochs for a few seconds, after a first one."""
    _run_through(epoch())
    epochs, began = 0, time.monotonic()
    while time.monotonic() - began < _FEED_SECONDS:
        _run_through(epoch())
        epochs += 1
    return epochs / (time.monotonic() - began)


def _run_through(batches: Iterator[object]) -> None:
    for _ in batches:
        pass


def _fit_rate(examples: str, graph: str, rows: int) -> float:
    """Train like the stage; its progress events give the time between epochs."""
    from components.train.train import train

    clock = _EpochClock()
    progress.LOGGER.addHandler(clock)
    progress.LOGGER.setLevel(logging.INFO)
    task = catalog.load("taxi").spec.label
    model = Model(batch_size=BATCH_SIZE, max_epochs=_EPOCHS, patience=_EPOCHS)
    with tempfile.TemporaryDirectory() as output:
        train(
            examples=examples,
            graph=graph,
            task=task,
            model=model,
            output=output,
        )
    return rows * (len(clock.ends) - 1) / (clock.ends[-1] - clock.ends[0])


class _EpochClock(logging.Handler):
    """Records when each epoch has processed its rows."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[float] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Process one progress event."""
        if record.event.kind == "rows":  # type: ignore[attr-defined]
            self.ends.append(time.monotonic())


def main() -> None:
    """Measure the paths in the command line."""
    quiet_environment()
    examples, graph, result = sys.argv[1:]
    Path(result).write_text(rates(examples, graph).model_dump_json(indent=1), encoding="utf-8")
    os._exit(0)  # unloading TensorFlow takes seconds


if __name__ == "__main__":
    main()
