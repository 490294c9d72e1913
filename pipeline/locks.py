"""Keeps two runs of one pipeline apart, on one machine and, where it lies in a store, on several.

Goes in: a pipeline's folders and a run's id. Promised: of two runs at once one is refused, and told
who is at work; a run that was killed holds nobody up: on its own machine not at all, on others for
ten minutes. The folder on this machine is held by the system's lock, which ends with the process;
the one in the store by an object that was not there before, and that its run renews.
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
_DEAD_AFTER = 600.0  # seconds without a renewal; more than two machines' clocks differ by

Check = Callable[[], None]


class Holder(Strict):
    """Who holds a pipeline.

    Attributes:
      machine: an id of the folder on its machine, which only one run at a time can hold.
      host: the machine's name.
      process: the run's process.
      run: the run's id.
      renewed: when it last said so, in UTC.
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
        """When it last said so, to the second."""
        return f"{self.renewed.partition('.')[0]} UTC"

    def now(self) -> Holder:
        """Return the same, renewed."""
        return self.model_copy(update={"renewed": f"{datetime.now(timezone.utc):%F %T.%f} UTC"})


@contextlib.contextmanager
def locked(folders: Folders, run_id: str) -> Iterator[Check]:
    """Hold the pipeline for this process.

    Yields:
      What raises a SkewlessError once a run on another machine has taken the pipeline over, for
      this one was not heard of.

    Raises:
      ConfigError: the folder cannot be made.
      SkewlessError: another run holds it; names its process, machine and run id, and since when.
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
            else "name a folder that can be written in XDG_STATE_HOME",
        ) from error


def _read(file: TextIO) -> Holder | None:
    file.seek(0)
    try:
        return Holder.model_validate_json(file.read())
    except ValidationError:  # nobody held it yet, or it has been taken this moment
        return None


@contextlib.contextmanager
def _renewed(path: str, holder: Holder) -> Iterator[Check]:
    """Hold the object, and say every minute that its run is alive."""
    tag: str | None = _take(path, holder)
    done = threading.Event()

    def renew() -> None:
        nonlocal tag
        while tag is not None and not done.wait(_RENEWED_EVERY):
            with contextlib.suppress(StoreError):  # the run will say so, or it passes
                data = holder.now().model_dump_json().encode()
                # the renewal before, though it was given up, may have come through
                tag = stores.written_if(path, data, tag) or our_tag()

    def our_tag() -> str | None:
        found = stores.version(path)
        other = _holder(found)
        ours = other is not None and (other.machine, other.run) == (holder.machine, holder.run)
        return found.tag if found is not None and ours else None

    def check() -> None:
        if our_tag() is None:
            raise SkewlessError(
                "a run on another machine has taken this pipeline over, for this one had not been"
                f" heard of for {_DEAD_AFTER / 60:g} minutes",
                where=path,
                remedy="run again when that one is through",
            )

    renewing = threading.Thread(target=renew, name="lock", daemon=True)
    renewing.start()
    try:
        yield check
    finally:
        done.set()
        renewing.join()
        with contextlib.suppress(StoreError):  # what is left hinders nobody for long
            if our_tag():
                stores.removed(path)


def _take(path: str, holder: Holder) -> str:
    """Make the object, or take it over from a run that is dead; return its tag."""
    found = stores.version(path)
    if found is not None and not _is_dead(found, holder):
        raise _at_work(path, found)
    data = holder.model_dump_json().encode()
    tag = stores.written_if(path, data, found.tag if found else None)
    if tag is None:
        raise _at_work(path, stores.version(path))
    return tag


def _is_dead(found: Version, holder: Holder) -> bool:
    other = _holder(found)
    # this machine's folder is held by this process, so whoever held it before is gone
    return (other is not None and other.machine == holder.machine) or (
        time.time() - found.changed > _DEAD_AFTER
    )


def _at_work(path: str, found: Version | None) -> SkewlessError:
    other = _holder(found)
    who = "it has just started"
    if other is not None:
        who = f"{other}, heard of {other.heard_of}"
    return SkewlessError(
        f"another run is at work here: {who}",
        where=path,
        remedy="wait for it to end, or give another --output; if it died, its lock gives way"
        f" {_DEAD_AFTER / 60:g} minutes after that, or when this object is removed",
    )


def _holder(found: Version | None) -> Holder | None:
    try:
        return Holder.model_validate_json(found.data) if found is not None else None
    except ValidationError:
        return None
