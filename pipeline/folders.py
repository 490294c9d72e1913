"""The folders in which a pipeline keeps its files, on this machine and in a store.

ROOT/<name>/ holds metadata.sqlite, digests.json, last_run.json, serving/<version>/,
artifacts/<node>/<channel>/<execution>/ and runs/<run_id>/ with run.log, configuration.json and
summary.json. Where ROOT is in an object store, artifacts and pushed models are stored there; what
needs a disk (the SQLite file, digests of local files, logs, the lock) is in a folder of this
machine, and a copy of the record and of each run's folder is sent to the store when the run ends.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from components import files, overlap
from schemas.errors import ConfigError

RUN_ID = "%Y%m%d-%H%M%S-%f"  # the time in UTC
_METADATA = "metadata.sqlite"
_SENT = ".sent"  # the digest of the record that was last sent to the store, or fetched from it


@dataclass(frozen=True)
class Folders:
    """The absolute paths of one pipeline, which are recorded in ML Metadata.

    Attributes:
      root: the pipeline's folder on this machine.
      store: its folder in an object store; None if everything is on this machine.
    """

    root: Path
    store: str | None = None

    @classmethod
    def of(cls, output: str | os.PathLike[str], name: str) -> Folders:
        """Return the folders of the pipeline `name` below the folder `output`."""
        output = os.fspath(output)
        if files.in_store(output):
            return cls.at(os.path.join(output, name))
        return cls(Path(output).resolve() / name)

    @classmethod
    def at(cls, path: str) -> Folders:
        """Return the folders of the pipeline that is kept in this folder."""
        if not files.in_store(path):
            return cls(Path(path).resolve())
        store = files.absolute(path)
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        return cls(Path(home, "skewless", store.replace("://", "/")), store)

    @property
    def place(self) -> str:
        """The folder to show to the user."""
        return self.store or str(self.root)

    @property
    def metadata(self) -> Path:
        """ML Metadata's SQLite file."""
        return self.root / _METADATA

    @property
    def digests(self) -> Path:
        """The digests of files that runs on this machine have read."""
        return self.root / "digests.json"

    @property
    def artifacts(self) -> str:
        """The folder of the stages' outputs."""
        return os.path.join(self.place, "artifacts")

    @property
    def serving(self) -> str:
        """The folder of pushed versions: the base path of a model server."""
        return os.path.join(self.place, "serving")

    @property
    def runs(self) -> Path:
        """The folder with one folder for each run."""
        return self.root / "runs"

    def check_apart(self, sources: Sequence[str]) -> None:
        """Check that no file that a run reads is in a folder that runs write.

        Raises:
          ConfigError: one is.
        """
        for path in overlap.one_a_folder(sources):
            for folder in (self.artifacts, self.serving, os.path.join(self.place, "runs")):
                if overlap.is_within(path, folder):
                    raise ConfigError(
                        "the source takes in what runs write",
                        where=path,
                        expected=f"files outside {folder}",
                        remedy="name other files in source.path, or give another --output",
                    )

    def fetch(self) -> None:
        """Fetch the record of earlier runs from the store, unless the local one is its successor.

        Raises:
          StoreError: the store does not answer, or refuses.
        """
        if self.store is None or not files.is_file(there := os.path.join(self.store, _METADATA)):
            return
        record, sent = files.read_bytes(there), self.root / _SENT
        digest = hashlib.sha256(record).hexdigest()
        known = self.metadata.exists() and sent.exists()
        if known and sent.read_text(encoding="ascii") == digest:
            return  # a run that was killed here may have added to it
        files.write_whole(str(self.metadata), record)
        files.write_whole(str(sent), digest)

    def send(self, run_id: str) -> None:
        """Send the record and a run's own folder to the store.

        Raises:
          StoreError: the store does not answer, or refuses.
        """
        if self.store is None:
            return
        own = os.path.join("runs", run_id)
        files.copy_tree(str(self.root / own), os.path.join(self.store, own))
        if self.metadata.exists():
            record = self.metadata.read_bytes()
            files.write_whole(os.path.join(self.store, _METADATA), record)
            files.write_whole(str(self.root / _SENT), hashlib.sha256(record).hexdigest())


def new_run_id() -> str:
    """Return an id that sorts by time; unique if runs do not start at the same moment."""
    return datetime.now(timezone.utc).strftime(RUN_ID)
