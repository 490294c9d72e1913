"""What an engine says when it gives up, a page of Java and Python → one error, the cause first.

A known cause names the key to change; any other is the innermost exception's own line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from components.versions import REFUSED
from schemas import errors
from schemas.errors import SkewlessError


class EngineError(SkewlessError):
    """A job failed on an engine outside this process."""


@dataclass(frozen=True)
class Known:
    """A cause that can be told from the engine's words, and what helps."""

    pattern: str
    what: str
    remedy: str


KNOWN = (
    Known(
        rf"(?<={REFUSED}: )[^\n]*",
        REFUSED,
        "install the command's versions where the workers run, and start `skewless workers` anew"
        " (docs/runners.md)",
    ),
    Known(
        r"Insufficient number of network buffers[^\n]*",
        "the task managers have too few network buffers",
        "raise taskmanager.memory.network.min and .max in Flink's configuration to 256m for each"
        " task slot or more, or lower runner.flink.parallelism",
    ),
    Known(
        r"(?:Cannot reserve|Direct buffer memory)[^\n]*",
        "the task managers have too little direct memory for a batch of rows",
        "raise taskmanager.memory.task.off-heap.size in Flink's configuration to 512m for each"
        " task slot or more, or lower examples.batch_rows in pipeline.yaml",
    ),
    Known(
        r"Java heap space[^\n]*|GC overhead limit exceeded[^\n]*",
        "the engine ran out of heap",
        "raise taskmanager.memory.process.size (Flink) or spark.executor.memory (Spark), or lower"
        " examples.batch_rows in pipeline.yaml",
    ),
    Known(
        r"NoResourceAvailableException[^\n]*|Could not acquire the minimum[^\n]*",
        "the cluster has too few free task slots for the job",
        "start task managers, or lower runner.flink.parallelism",
    ),
    Known(
        r"[^\n]*(?:No space left on device|Disk quota exceeded|File too large)[^\n]*",
        "a disk is full, or a file larger than it may be",
        "make room where the workers write, and in their temporary folders; then run again",
    ),
    Known(
        r"ModuleNotFoundError: [^\n]*",
        "the workers lack a package that the command has",
        "install this project with the command's versions where the workers run (docs/runners.md)",
    ),
    Known(
        r"Cannot run program[^\n]*",
        "the task managers cannot start a worker",
        "correct runner.….workers: the command must be there on every task manager",
    ),
    Known(
        r"(?:UNAVAILABLE|Connection refused)[^\n]*",
        "the engine cannot reach its SDK workers, or the command",
        "see that the pool of runner.….workers runs beside every task manager; loopback works only"
        " where engine and command share a machine",
    ),
    Known(
        r"(?:ZONE_RESOURCE_POOL_EXHAUSTED|QUOTA_EXCEEDED|Quota '\w+' exceeded)[^\n\"]*",
        "Google Cloud has no room for the workers",
        "lower runner.dataflow.max_workers, take another machine_type or region, or ask for quota",
    ),
    Known(
        r"Current user cannot act as service account[^\n\"]*",
        "who starts the job may not use the workers' service account",
        "grant roles/iam.serviceAccountUser on that account, or name another by"
        " runner.dataflow.service_account",
    ),
    Known(
        r"(?:SDK harness \S+ disconnected|worker lost contact with the service)[^\n]*",
        "Dataflow's workers died, mostly for want of memory",
        "take a machine_type of highmem for runner.dataflow, lower its threads, or lower"
        " examples.batch_rows in pipeline.yaml",
    ),
    Known(
        r"Channel closed prematurely[^\n]*",
        "a task manager died, or ran out of direct memory",
        "look at the task manager's log; raise taskmanager.memory.task.off-heap.size where it"
        " speaks of direct memory",
    ),
    Known(
        r"CANCELLED: call already cancelled[^\n]*",
        "an SDK worker died",
        "look at the log of `skewless workers` and at the memory of its machine; then run again",
    ),
)

_OURS = re.compile(rf"^{re.escape(errors.__name__)}\.(\w+): ", re.MULTILINE)
_RAISED = re.compile(r"^(?:[\w.]+\.)?\w*(?:Error|Exception)\b[^\n]*", re.MULTILINE)
# How Google's APIs say it, in the body of an answer that a client puts into its own words.
_REFUSED = re.compile(r'"message": "((?:[^"\\]|\\.)*)"')
_PREFACE = re.compile(r"^Dataflow pipeline failed\. State: \w+, Error:\n")
_LOST = re.compile(r"Lost task [^\n]*?\): ([^\n]+)")  # how Spark tells why it gave a job up
_RUNNING = re.compile(r" \[while running '[^']*'\]")
_MAX = 500  # characters of the engine's own words


def restored(error: SkewlessError) -> SkewlessError:
    """Return an error as a worker in this process raised it, which Beam made one text of."""
    return type(error).parse(_RUNNING.sub("", error.what))


def explained(stage: str, text: str) -> SkewlessError:
    """Return the error for what a runner said when a stage's job failed.

    One that a worker raised on purpose is returned as it was; of several, the first.

    >>> print(explained("statistics", "java.lang.RuntimeException: boom").what)
    statistics failed on the engine: java.lang.RuntimeException: boom
    """
    text = _RUNNING.sub("", text)
    if ours := _OURS.search(text):
        kind: type[SkewlessError] = getattr(errors, ours[1], SkewlessError)
        return kind.parse(text[ours.end() :])
    cause = innermost(text)
    for known in KNOWN:
        found = re.search(known.pattern, text)
        # an exception of our own code is the cause, whatever the engine said afterwards
        if found and (not _is_ours(cause) or found[0] in cause):
            said = _cut(found[0])
            return EngineError(
                f"{stage} failed on the engine: {known.what} ({said})", remedy=known.remedy
            )
    return EngineError(f"{stage} failed on the engine: {_cut(cause)}")


def unsent(stage: str, text: str) -> EngineError:
    """Return the error for a job that could not be sent, or asked after: no engine said a word.

    >>> print(unsent("statistics", "[Errno 111] Connection refused").what)
    statistics cannot be sent to the engine: [Errno 111] Connection refused
    """
    return EngineError(
        f"{stage} cannot be sent to the engine: {_cut(innermost(text))}",
        remedy="see that this machine reaches the engine, and may write to where its jobs are"
        " staged; then run again to go on from there",
    )


def innermost(text: str) -> str:
    """Return the line of the exception that began it all.

    Python's traceback within Java's words comes first: its last line is the cause. Otherwise it is
    what a service of Google's answered, the last `Caused by:`, what Spark lost its last task by, or
    the first line.
    """
    text = _PREFACE.sub("", text)
    python = text.find("Traceback (most recent call last)")
    if python >= 0:
        told = text[python:].split("\n\n\tat ")[0]
        raised = [m[0] for m in _RAISED.finditer(told) if not m[0].startswith("java.")]
        if raised:
            return raised[-1]
    if refused := _REFUSED.search(text):
        return refused[1]
    caused = re.findall(r"^Caused by: ([^\n]+)", text, re.MULTILINE) or _LOST.findall(text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return caused[-1] if caused else (lines or ["it gave no reason"])[0]


def _is_ours(cause: str) -> bool:
    """Whether Python raised it rather than Java."""
    return not re.match(r"(?:java|org\.apache)\.", cause)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX else f"{text[:_MAX]}…"
