"""One of the processes that train a model together: `python -m components.train.work JOB`.

All of them read the same job, a file in JSON. Only the chief writes to its output; what the others
write is thrown away. On standard output, each prints its progress events as lines of
JSON.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from components import files, lean_imports, progress
from schemas import tasks
from schemas.errors import SkewlessError
from schemas.model import Model
from schemas.strict import Strict

if TYPE_CHECKING:
    from components.train.workers import Workers

EVENT = "event "  # starts a line of an event
FAILED = 3  # the exit code after an error for the user, whose text follows `MARK`
MARK = "the training failed: "


class TrainingJob(Strict):
    """A training, as arguments of `train` in text.

    Attributes:
      examples: folder of transformed examples.
      graph: the transform graph's folder.
      task: what is predicted, in JSON.
      model: what to train and how.
      output: folder for the results.
      sampled: how many training rows of each class there were before a sample, and after it.
      checkpoint: the file for the state of training; all processes read it.
    """

    examples: str
    graph: str
    task: str
    model: Model
    output: str
    sampled: dict[str, tuple[int, int]] = Field(default_factory=dict)
    checkpoint: str | None = None


class _EventLines(logging.Handler):
    """Prints each progress event as a line of JSON."""

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        if isinstance(event, progress.Event):
            print(EVENT + json.dumps(asdict(event)), flush=True)


def work(job: TrainingJob, workers: Workers | None) -> None:
    """Do a job, with the other processes if there are some."""
    from components.train.checkpoints import CheckpointFile
    from components.train.train import train

    train(
        examples=job.examples,
        graph=job.graph,
        task=tasks.loads(job.task),
        model=job.model,
        output=job.output,
        sampled=job.sampled,
        checkpoint=None if job.checkpoint is None else CheckpointFile(job.checkpoint),
        workers=workers,
    )


def work_together(job: TrainingJob) -> None:
    """Do a job with the other processes of TF_CONFIG."""
    lean_imports.load(lean_imports.TENSORFLOW)
    from components.train.workers import Workers

    workers = Workers()  # before TensorFlow computes anything
    own = job.model_copy(update={"output": ""}).model_dump_json().encode()
    digest = float(int.from_bytes(hashlib.sha256(own).digest()[:6], "big"))
    if workers.of_chief(digest) != digest:
        raise RuntimeError("the processes read different jobs")  # one of an earlier run: again
    with tempfile.TemporaryDirectory() as scratch, files.at_hand(job.examples) as examples:
        output = job.output if workers.is_chief else scratch
        work(job.model_copy(update={"examples": examples, "output": output}), workers)


def main() -> None:
    """Run the job of the command line."""
    progress.LOGGER.setLevel(logging.INFO)
    progress.LOGGER.addHandler(_EventLines())
    progress.LOGGER.propagate = False
    try:
        work_together(TrainingJob.model_validate_json(Path(sys.argv[1]).read_bytes()))
    except SkewlessError as error:
        print(f"{MARK}{error}", file=sys.stderr)
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
