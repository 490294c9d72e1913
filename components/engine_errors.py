"""What an engine says when it gives up, a page of Java and Python → one error, the cause first.

A known cause names the key to change; any other is the innermost exception's own line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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


# What Google Cloud says of a job, or of who asks for one.
GOOGLES = (
    Known(
        r"[^\n]*(?:invalid_grant|Reauthentication is needed|credentials were not found|invalid"
        r" authentication credentials|Unable to acquire impersonated credentials)[^\n]*",
        "the credentials for Google Cloud are not taken",
        "gcloud auth application-default login, or name a service account's key file in"
        " GOOGLE_APPLICATION_CREDENTIALS; then run again to go on from there",
    ),
    Known(
        r"(?:Some Cloud APIs need to be enabled|[^\n:\"]* has not been used in project)[^\n\"]*",
        "an API is not enabled in the project",
        "gcloud services enable dataflow.googleapis.com compute.googleapis.com"
        " storage.googleapis.com --project=PROJECT; then run again to go on from there",
    ),
    Known(
        r"(?:ZONE_RESOURCE_POOL_EXHAUSTED|QUOTA_EXCEEDED|Quota '\w+' exceeded|Exceeded limit 'QUOTA"
        r"|[^\n\"]*insufficient quota)[^\n\"]*",
        "Google Cloud has no room for the workers",
        "lower runner.dataflow.max_workers, take another machine_type or region, or ask for quota;"
        " then run again to go on from there",
    ),
    Known(
        r"Current user cannot act as service account[^\n\"]*",
        "who starts the job may not use the workers' service account",
        "grant roles/iam.serviceAccountUser on that account, or name another by"
        " runner.dataflow.service_account",
    ),
    Known(
        r"There is already (?:an )?active job named[^\n\"]*",
        "a job of this name is running",
        "wait for its end or cancel it, or name this one: -- --job_name=…",
    ),
    Known(
        r"(?:Unable to pull container image|[Ii]mage pull(?:ing)? (?:request )?failed)[^\n\"]*",
        "Dataflow's workers do not get their image",
        "correct runner.dataflow.image, and let the workers' account read it"
        " (roles/artifactregistry.reader)",
    ),
    Known(
        r"Network \S+ is not accessible to Dataflow[^\n\"]*",
        "Dataflow's workers have no network",
        "name one that is there: -- --subnetwork=regions/REGION/subnetworks/NAME",
    ),
    Known(
        r"(?:[^\n\"]*no worker activity has been seen|Startup of the worker pool)[^\n\"]*",
        "Dataflow's workers do not start, or get nothing done",
        "read the logs named worker-startup on the job's page: an image without boot, packages"
        " that cannot be installed, a network without the way to PyPI or to the bucket",
    ),
    Known(
        r"(?:SDK harness \S+ disconnected|worker lost contact with the service)[^\n]*",
        "Dataflow's workers died, mostly for want of memory",
        "take a machine_type of highmem for runner.dataflow, lower its threads, or lower"
        " examples.batch_rows in pipeline.yaml",
    ),
)

KNOWN = (
    Known(
        rf"(?<={REFUSED}: )[^\n\[]*[^\n\[ ]",  # Beam adds the step in brackets
        REFUSED,
        "install the command's versions where the workers run, and start `skewless workers` anew,"
        " or build the workers' image anew (docs/runners.md)",
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
    *GOOGLES,
    Known(
        r"(?:UNAVAILABLE|Connection refused)[^\n]*",
        "the engine cannot reach its SDK workers, or the command",
        "see that the pool of runner.….workers runs beside every task manager; loopback works only"
        " where engine and command share a machine",
    ),
    Known(
        r"Channel closed prematurely[^\n]*",
        "a task manager died, or ran out of direct memory",
        "look at the task manager's log; raise taskmanager.memory.task.off-heap.size where it"
        " speaks of direct memory",
    ),
    Known(
        r"CANCELLED: call already cancelled[^\n]*|SDK worker disconnected[^\n]*",
        "an SDK worker died",
        "look at the log of `skewless workers` and at the memory of its machine; then run again",
    ),
)

_OURS = re.compile(rf"^{re.escape(errors.__name__)}\.(\w+): ", re.MULTILINE)
_TRACEBACK = "Traceback (most recent call last)"
_RAISED = re.compile(r"^(?:[\w.]+\.)?\w*(?:Error|Exception)\b[^\n]*", re.MULTILINE)
# How Google's APIs say it, in the body of an answer that a client puts into its own words.
_REFUSED = re.compile(r'"message": "((?:[^"\\]|\\.)*)"')
_LOST = re.compile(r"Lost task [^\n]*?\): ([^\n]+)")  # how Spark tells why it gave a job up
_RUNNING = re.compile(r" \[while running '[^']*'\]")
_MAX = 500  # characters of the engine's own words


def restored(error: SkewlessError) -> SkewlessError:
    """Return an error as a worker in this process raised it, which Beam made one text of."""
    if error.where or error.expected or error.remedy:
        return error  # Beam has not touched it
    return type(error).parse(_RUNNING.sub("", error.what))


def explained(stage: str, text: str, *, where: str | None = None) -> SkewlessError:
    """Return the error for what a runner said when a stage's job failed.

    One that a worker raised on purpose is returned as it was; of several, the first.

    >>> print(explained("statistics", "java.lang.RuntimeException: boom").what)
    statistics failed on the engine: java.lang.RuntimeException: boom
    """
    text = _RUNNING.sub("", text)
    if ours := _OURS.search(text):
        kind: type[SkewlessError] = getattr(errors, ours[1], SkewlessError)
        return kind.parse(text[ours.end() :])
    what, remedy = cause(text, KNOWN)
    return EngineError(f"{stage} failed on the engine: {what}", where=where, remedy=remedy)


def unsent(stage: str, text: str) -> EngineError:
    """Return the error for a job that could not be sent: no engine said a word.

    >>> print(unsent("statistics", "[Errno 111] Connection refused").what)
    statistics cannot be sent to the engine: [Errno 111] Connection refused
    """
    what, remedy = cause(text, GOOGLES)
    return EngineError(
        f"{stage} cannot be sent to the engine: {what}",
        remedy=remedy
        or "see that this machine reaches the engine, and may write to where its jobs are staged;"
        " then run again to go on from there",
    )


def cause(text: str, known: Sequence[Known]) -> tuple[str, str | None]:
    """Return what is wrong by an engine's words, and what helps if it is among what is known."""
    text = _RUNNING.sub("", text)
    raised = innermost(text)
    for one in known:
        found = re.search(one.pattern, text)
        # an exception of our own code is the cause, whatever the engine said afterwards
        if found and (found[0] in raised or not _is_ours(raised, text)):
            return f"{one.what} ({_cut(found[0].strip())})", one.remedy
    return _cut(raised), None


def innermost(text: str) -> str:
    """Return the line of the exception that began it all.

    Python's traceback within Java's words comes first: its last line is the cause. Otherwise it is
    what a service of Google's answered, the last `Caused by:`, what Spark lost its last task by, or
    the first line.
    """
    python = text.find(_TRACEBACK)
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


def _is_ours(raised: str, text: str) -> bool:
    """Whether Python raised it rather than Java, and on a worker."""
    return _TRACEBACK in text and not re.match(r"(?:java|org\.apache)\.", raised)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX else f"{text[:_MAX]}…"
