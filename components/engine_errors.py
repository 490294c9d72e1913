"""Turns an engine's failure, a page of Java and Python, into one error that begins with the cause.

A known cause has a remedy; any other is the innermost exception's own line.
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
    """A cause that an engine's message shows, and the remedy."""

    pattern: str
    what: str
    remedy: str


# Errors of Google Cloud about a job, or about its requests.
GOOGLES = (
    Known(
        r"[^\n]*(?:invalid_grant|Reauthentication is needed|credentials were not found|invalid"
        r" authentication credentials|Unable to acquire impersonated credentials)[^\n]*",
        "Google Cloud does not accept the credentials",
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
        "the account that starts the job may not use the workers' service account",
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
        "name an existing one: -- --subnetwork=regions/REGION/subnetworks/NAME",
    ),
    Known(
        r"(?:[^\n\"]*no worker activity has been seen|Startup of the worker pool)[^\n\"]*",
        "Dataflow's workers do not start, or make no progress",
        "read the logs named worker-startup on the job's page: an image without boot, packages"
        " that cannot be installed, a network without access to PyPI or to the bucket",
    ),
    Known(
        r"(?:SDK harness \S+ disconnected|worker lost contact with the service)[^\n]*",
        "Dataflow's workers died, mostly from lack of memory",
        "use a machine_type of highmem for runner.dataflow, lower its threads, or lower"
        " examples.batch_rows in pipeline.yaml",
    ),
)

KNOWN = (
    Known(
        rf"(?<={REFUSED}: )[^\n\[]*[^\n\[ ]",  # Beam adds the step in brackets
        REFUSED,
        "install the command's versions on the workers, and restart `skewless workers`, or build"
        " the workers' image again (docs/runners.md)",
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
        "install this project with the command's versions on the workers (docs/runners.md)",
    ),
    Known(
        r"Cannot run program[^\n]*",
        "the task managers cannot start a worker",
        "correct runner.….workers: the command must exist on every task manager",
    ),
    *GOOGLES,
    Known(
        r"(?:UNAVAILABLE|Connection refused)[^\n]*",
        "the engine cannot reach its SDK workers, or the command",
        "check that the pool of runner.….workers runs beside every task manager; loopback works"
        " only if engine and command share a machine",
    ),
    Known(
        r"Channel closed prematurely[^\n]*",
        "a task manager died, or ran out of direct memory",
        "look at the task manager's log; raise taskmanager.memory.task.off-heap.size if it mentions"
        " direct memory",
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
# The message in a response of Google's APIs, which a client puts into its own words.
_REFUSED = re.compile(r'"message": "((?:[^"\\]|\\.)*)"')
_LOST = re.compile(r"Lost task [^\n]*?\): ([^\n]+)")  # Spark's reason for giving up a job
_RUNNING = re.compile(r" \[while running '[^']*'\]")
_MAX = 500  # characters of the engine's message


def restored(error: SkewlessError) -> SkewlessError:
    """Return an error as a worker in this process raised it, from the text that Beam made of it."""
    if error.where or error.expected or error.remedy:
        return error  # Beam has not changed it
    return type(error).parse(_RUNNING.sub("", error.what))


def explained(stage: str, text: str, *, where: str | None = None) -> SkewlessError:
    """Return the error for a runner's message about a failed job.

    An expected error of a worker is returned unchanged; of several, the first.

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
    """Return the error for a job that could not be sent.

    >>> print(unsent("statistics", "[Errno 111] Connection refused").what)
    statistics cannot be sent to the engine: [Errno 111] Connection refused
    """
    what, remedy = cause(text, GOOGLES)
    return EngineError(
        f"{stage} cannot be sent to the engine: {what}",
        remedy=remedy
        or "check that this machine reaches the engine, and may write to where its jobs are staged;"
        " then run again to go on from there",
    )


def cause(text: str, known: Sequence[Known]) -> tuple[str, str | None]:
    """Return the cause in an engine's message, and the remedy for a known cause."""
    text = _RUNNING.sub("", text)
    raised = innermost(text)
    for one in known:
        match = re.search(one.pattern, text)
        # an exception of our code is the cause, whatever the engine reports afterwards
        if match and (match[0] in raised or not _is_ours(raised, text)):
            return f"{one.what} ({_cut(match[0].strip())})", one.remedy
    return _cut(raised), None


def innermost(text: str) -> str:
    """Return the line of the innermost exception.

    If Java's message has a Python traceback, its last line is the cause. Otherwise it is the
    response of a Google service, the last `Caused by:`, Spark's reason for losing its last task, or
    the first line.
    """
    python = text.find(_TRACEBACK)
    if python >= 0:
        traceback = text[python:].split("\n\n\tat ")[0]
        raised = [m[0] for m in _RAISED.finditer(traceback) if not m[0].startswith("java.")]
        if raised:
            return raised[-1]
    if refused := _REFUSED.search(text):
        return refused[1]
    caused = re.findall(r"^Caused by: ([^\n]+)", text, re.MULTILINE) or _LOST.findall(text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return caused[-1] if caused else (lines or ["it gave no reason"])[0]


def _is_ours(raised: str, text: str) -> bool:
    """Return whether Python on a worker raised it, rather than Java."""
    return _TRACEBACK in text and not re.match(r"(?:java|org\.apache)\.", raised)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX else f"{text[:_MAX]}…"
