"""Keeps two runs of one pipeline apart: on one machine and, if it is in a store, on several.

Of two runs at once one is refused; its error names the other. A killed run does not block others:
on its own machine not at all, on other machines for ten minutes. On this machine the folder is
protected by a lock of the operating system, which ends with the process; in the store, by an object
that a run creates only if it does not exist, and then renews.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import TextIO

from pydantic import ValidationError

from components import stores
from components.store_clients import Version
from pipeline.folders import Folders
from schemas.errors import ConfigError, SkewlessError, StoreError
from schemas.strict import Strict

FILE_NAME = ".lock"
_RENEWED_EVERY = 60.0  # seconds
_DEAD_AFTER = 600.0  # seconds without a renewal; longer than clocks of two machines differ

Check = Callable[[], None]


class Holder(Strict):
    """The run that holds a pipeline.

    Attributes:
      machine: an id of the folder on its machine, which only one run at a time can hold.
      host: the machine's name.
      process: the run's process.
      run: the run's id.
      renewed: the time of its last renewal, in UTC.
    """

    machine: str
    host: str
    process: int
    run: str
    renewed: str

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}, run {self.run}"

    @property
    def heard_of(self) -> str:
        """The time of its last renewal, to the second."""
        return f"{self.renewed.partition('.')[0]} UTC"

    def now(self) -> Holder:
        """Return the same holder, renewed now."""
        return self.model_copy(update={"renewed": f"{datetime.now(timezone.utc):%F %T.%f} UTC"})


@contextlib.contextmanager
def locked(folders: Folders, run_id: str) -> Iterator[Check]:
    """Hold the pipeline for this process.

    Yields:
      A function that raises a SkewlessError once a run on another machine has taken the pipeline
      over, because this run did not renew its lock.

    Raises:
      ConfigError: the folder cannot be made.
      SkewlessError: another run holds it; names its process, machine, run id and start.
      StoreError: the store does not answer, or refuses.
    """
    with _open(folders) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = _read(file)
            raise SkewlessError(
                "another run is at work here: "
                + (f"{other}, since {other.heard_of}" if other else "it has just started"),
                where=folders.place,
                remedy="wait for it to end, or give another --output",
            ) from None
        before = _read(file)
        holder = Holder(
            machine=before.machine if before else uuid.uuid4().hex,
            host=socket.gethostname(),
            process=os.getpid(),
            run=run_id,
            renewed="",
        ).now()
        file.truncate(0)
        file.write(holder.model_dump_json())
        file.flush()
        if folders.store is None:
            yield lambda: None
            return
        with _renewed(os.path.join(folders.store, FILE_NAME), holder) as check:
            yield check


def at_work(folders: Folders) -> Holder | None:
    """Return the run that holds the pipeline now, without a try to hold it; None if none does.

    Of a run on another machine, what counts is that it has renewed its hold lately.
    """
    if folders.store is not None:
        version = stores.version(os.path.join(folders.store, FILE_NAME))
        dead = version is None or time.time() - version.changed > _DEAD_AFTER
        return None if dead else _holder(version)
    try:
        holder = Holder.model_validate_json((folders.root / FILE_NAME).read_bytes())
    except (OSError, ValidationError):
        return None
    return holder if holder.host == socket.gethostname() and _is_alive(holder.process) else None


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is another user's
        return True
    return True


def _open(folders: Folders) -> TextIO:
    try:
        folders.root.mkdir(parents=True, exist_ok=True)
        return open(folders.root / FILE_NAME, "a+", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"runs cannot be kept here: {error.strerror}",
            where=str(folders.root),
            remedy="give another --output"
            if folders.store is None
            else "set XDG_STATE_HOME to a folder that can be written",
        ) from error


def _read(file: TextIO) -> Holder | None:
    file.seek(0)
    try:
        return Holder.model_validate_json(file.read())
    except ValidationError:  # no run has held it yet, or a run is taking it right now
        return None


@contextlib.contextmanager
def _renewed(path: str, holder: Holder) -> Iterator[Check]:
    """Hold the object, and renew it every minute."""
    tag: str | None = _take(path, holder)
    done = threading.Event()

    def renew() -> None:
        nonlocal tag
        while tag is not None and not done.wait(_RENEWED_EVERY):
            with contextlib.suppress(StoreError):  # a lasting error is reported by the run itself
                data = holder.now().model_dump_json().encode()
                # an earlier renewal may have succeeded although its response was lost
                tag = stores.written_if(path, data, tag) or our_tag()

    def our_tag() -> str | None:
        version = stores.version(path)
        other = _holder(version)
        ours = other is not None and (other.machine, other.run) == (holder.machine, holder.run)
        return version.tag if version is not None and ours else None

    def check() -> None:
        if our_tag() is None:
            raise SkewlessError(
                "a run on another machine has taken this pipeline over, because this run did not"
                f" renew its lock for {_DEAD_AFTER / 60:g} minutes",
                where=path,
                remedy="run again when the other run has ended",
            )

    renewing = threading.Thread(target=renew, name="lock", daemon=True)
    renewing.start()
    try:
        yield check
    finally:
        done.set()
        renewing.join()
        with contextlib.suppress(StoreError):  # a remaining object expires soon
            if our_tag():
                stores.removed(path)


def _take(path: str, holder: Holder) -> str:
    """Create the object, or take it over from a dead run; return its tag."""
    version = stores.version(path)
    if version is not None and not _is_dead(version, holder):
        raise _at_work(path, version)
    data = holder.model_dump_json().encode()
    tag = stores.written_if(path, data, version.tag if version else None)
    if tag is None:
        raise _at_work(path, stores.version(path))
    return tag


def _is_dead(version: Version, holder: Holder) -> bool:
    other = _holder(version)
    # this process holds this machine's folder, so the earlier holder has ended
    return (other is not None and other.machine == holder.machine) or (
        time.time() - version.changed > _DEAD_AFTER
    )


def _at_work(path: str, version: Version | None) -> SkewlessError:
    other = _holder(version)
    who = "it has just started"
    if other is not None:
        who = f"{other}, last renewed {other.heard_of}"
    return SkewlessError(
        f"another run is at work here: {who}",
        where=path,
        remedy="wait for it to end, or give another --output; if it died, its lock expires"
        f" {_DEAD_AFTER / 60:g} minutes after that, or when this object is removed",
    )


def _holder(version: Version | None) -> Holder | None:
    try:
        return Holder.model_validate_json(version.data) if version is not None else None
    except ValidationError:
        return None
