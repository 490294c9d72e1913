"""Where a pipeline keeps what it makes, and the lock that keeps two runs apart.

ROOT/<name>/ holds metadata.sqlite, artifacts/<node>/<channel>/<execution>/, serving/<version>/ and
runs/<run_id>/ with run.log and summary.json.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from schemas.errors import ConfigError, SkewlessError


@dataclass(frozen=True)
class Folders:
    """The paths of one pipeline, absolute: they are recorded in ML Metadata."""

    root: Path

    @classmethod
    def of(cls, output: str | os.PathLike[str], name: str) -> Folders:
        """Return those of the pipeline `name` under the folder `output`."""
        return cls(Path(output).resolve() / name)

    @property
    def metadata(self) -> Path:
        """ML Metadata's SQLite file."""
        return self.root / "metadata.sqlite"

    @property
    def artifacts(self) -> Path:
        """What the stages put out."""
        return self.root / "artifacts"

    @property
    def serving(self) -> Path:
        """The pushed versions: the base path of a model server."""
        return self.root / "serving"

    @property
    def runs(self) -> Path:
        """One folder a run."""
        return self.root / "runs"


def new_run_id() -> str:
    """Return an id that sorts by time; unique where only one run at a time is started."""
    return datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S-%f")


@contextlib.contextmanager
def locked(folders: Folders, run_id: str) -> Iterator[None]:
    """Hold the pipeline for this process; the system frees it however the process ends.

    Raises:
      ConfigError: the folder cannot be made.
      SkewlessError: another run holds it; names its process and run id.
    """
    try:
        folders.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"runs cannot be kept here: {error.strerror}",
            where=str(folders.root),
            remedy="give another --output",
        ) from error
    path = folders.root / ".lock"
    with open(path, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise SkewlessError(
                f"another run is at work here: {file.read().strip() or 'it has just started'}",
                where=str(folders.root),
                remedy="wait for it to end, or give another --output",
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}, run {run_id}\n")
        file.flush()
        yield
