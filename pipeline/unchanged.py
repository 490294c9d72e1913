"""Finds that nothing has changed since the last run, before anything heavy is imported.

A run that ended with its model being served leaves last_run.json: its id, and a digest of all that
its stages depend on. The next run that comes to the same digest, finds every artifact as it was
sealed and the same model as the newest version has nothing to compute. Whatever else starts first
removes the file, so that it is there only while nothing happened since. All this takes a fraction
of a second, where TensorFlow, TFX and Beam take five or more to import.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components import files
from components.evaluate.published import JUDGED, content_digest, newest
from pipeline import dag, digests, lineage, seals
from pipeline.digest_cache import DigestCache
from pipeline.folders import Folders
from pipeline.lineage import Execution
from pipeline.seals import Seals
from schemas.catalog import Dataset

FILE_NAME = "last_run.json"
_MODEL = "Format-Serving"  # where an exported artifact has its SavedModel

# What push says of a model that is served already.
_PUSHED = ("pushed", "pushed_destination", "pushed_version")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LastRun:
    """What last_run.json holds.

    Attributes:
      run_id: as in ML Metadata.
      digest: from `digest_of`.
    """

    run_id: str
    digest: str

    @classmethod
    def read(cls, folders: Folders) -> LastRun | None:
        """Return what the file holds; None where there is none, or one that cannot be read."""
        try:
            return cls(**json.loads(_path(folders).read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError):
            _logger.warning("%s cannot be read; the run goes its way", FILE_NAME, exc_info=True)
            return None

    def write(self, folders: Folders) -> None:
        """Write the file, whole."""
        told = {"run_id": self.run_id, "digest": self.digest}
        files.write_whole(str(_path(folders)), json.dumps(told))


@dataclass(frozen=True)
class Same:
    """A run that did all that another one would do.

    Attributes:
      run_id: as in ML Metadata.
      pushed: what its push recorded of the version that is served.
    """

    run_id: str
    pushed: Mapping[str, int | float | str]


def forget(folders: Folders) -> None:
    """Remove the file: something is about to happen."""
    _path(folders).unlink(missing_ok=True)


def digest_of(
    dataset: Dataset, folders: Folders, known: DigestCache, *, allow_anomalies: bool
) -> str:
    """Return a digest of all that the stages of a run depend on.

    It takes in more than their cache does, such as every line of code: what it lets through has not
    changed, and what it does not is looked at by each stage.

    Raises:
      FileNotFoundError: a source file is gone.
      OSError: one cannot be read.
      StoreError: the store does not answer, or refuses.
    """
    told = [
        digests.project(),
        dataset.spec.model_dump_json(),
        dataset.schema_text,
        dataset.source_path,
        digests.source(dag.source_paths(dataset), known),
        folders.artifacts,
        folders.serving,
        allow_anomalies,
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def since(folders: Folders, digest: str, sealing: Seals) -> Same | None:
    """Return the last run if all is as it left it; None if there may be something to do.

    Args:
      folders: the pipeline's, on a disk.
      digest: from `digest_of`, now.
      sealing: checks the artifacts.
    """
    last = LastRun.read(folders)
    if last is None or last.digest != digest or not folders.metadata.exists():
        return None
    executions = lineage.read_run(folders.metadata, last.run_id)
    good = {n for n, e in executions.items() if e.state in ("COMPLETE", "CACHED")}
    if good != set(dag.NODES) or not _sealed(executions, sealing):
        return None
    if not _is_served(executions, folders.serving):
        return None
    pushed = executions["push"].outputs["pushed"].properties
    return Same(last.run_id, {name: pushed[name] for name in _PUSHED})


def _sealed(executions: Mapping[str, Execution], sealing: Seals) -> bool:
    """Return whether each artifact is as it was made; push's own is never used again."""
    artifacts = [a for n, e in executions.items() if n != "push" for a in e.outputs.values()]
    return not any(
        sealing.why_broken(artifact.uri, str(artifact.properties.get(seals.PROPERTY, "")))
        for artifact in artifacts
    )


def _is_served(executions: Mapping[str, Execution], serving: str) -> bool:
    """Return whether the newest version is the model that was judged, as push finds out, too."""
    version = newest(serving)
    pushed = executions["push"].outputs["pushed"].properties
    if version is None or not pushed.get("pushed") or pushed["pushed_destination"] != version:
        return False
    exported = f"{executions['export'].outputs['exported'].uri}/{_MODEL}"
    wanted = content_digest(exported)
    judged = {
        executions[node].outputs[channel].properties.get(JUDGED)
        for node, channel in (("evaluate", "blessing"), ("parity", "proof"))
    }
    return judged == {wanted} and content_digest(version) == wanted


def _path(folders: Folders) -> Path:
    return folders.root / FILE_NAME
