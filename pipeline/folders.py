"""Where a pipeline keeps what it makes, on this machine and in a store.

ROOT/<name>/ holds metadata.sqlite, digests.json, last_run.json, serving/<version>/,
artifacts/<node>/<channel>/<execution>/ and runs/<run_id>/ with run.log and summary.json. Where ROOT
is in an object store, artifacts and pushed models lie there; what must be on a disk (the SQLite
file, digests of local files, logs, the lock) lies in a folder of this machine, and a copy of the
record and of each run's folder is sent to the store when the run ends.
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

_METADATA = "metadata.sqlite"
_SENT = ".sent"  # the digest of the record that was last sent to the store, or fetched from it


@dataclass(frozen=True)
class Folders:
    """The paths of one pipeline, absolute: they are recorded in ML Metadata.

    Attributes:
      root: the pipeline's folder on this machine.
      store: its folder in an object store; None where all is on this machine.
    """

    root: Path
    store: str | None = None

    @classmethod
    def of(cls, output: str | os.PathLike[str], name: str) -> Folders:
        """Return those of the pipeline `name` under the folder `output`."""
        output = os.fspath(output)
        if files.in_store(output):
            return cls.at(os.path.join(output, name))
        return cls(Path(output).resolve() / name)

    @classmethod
    def at(cls, path: str) -> Folders:
        """Return those of the pipeline whose folder this is."""
        if not files.in_store(path):
            return cls(Path(path).resolve())
        store = files.absolute(path)
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        return cls(Path(home, "skewless", store.replace("://", "/")), store)

    @property
    def place(self) -> str:
        """Where a person looks for what the pipeline made."""
        return self.store or str(self.root)

    @property
    def metadata(self) -> Path:
        """ML Metadata's SQLite file."""
        return self.root / _METADATA

    @property
    def digests(self) -> Path:
        """What files held that runs here have read."""
        return self.root / "digests.json"

    @property
    def artifacts(self) -> str:
        """What the stages put out."""
        return os.path.join(self.place, "artifacts")

    @property
    def serving(self) -> str:
        """The pushed versions: the base path of a model server."""
        return os.path.join(self.place, "serving")

    @property
    def runs(self) -> Path:
        """One folder a run."""
        return self.root / "runs"

    def check_apart(self, sources: Sequence[str]) -> None:
        """Check that none of the files that a run reads lies where runs write.

        Raises:
          ConfigError: one does.
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
        """Bring the record of earlier runs from the store, unless the one here goes on from it.

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
    """Return an id that sorts by time; unique where only one run at a time is started."""
    return datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S-%f")
