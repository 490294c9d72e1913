"""Finds out whether anything has changed since the last run, before heavy imports.

A run whose model is served leaves last_run.json with its id and a digest of all that its stages
depend on. The next run has nothing to compute if it computes the same digest, every artifact has
its seal, and the newest version is the same model. Any other run removes the file first, so the
file exists only while nothing has happened since. The check takes a fraction of a second; importing
TensorFlow, TFX and Beam takes five or more.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from components import files
from components.evaluate.published import JUDGED, content_digest, newest
from pipeline import dag, digests, lineage, seals, source
from pipeline.digest_cache import DigestCache
from pipeline.folders import Folders
from pipeline.lineage import Execution
from pipeline.seals import Seals
from schemas.catalog import Dataset

FILE_NAME = "last_run.json"
_MODEL = "Format-Serving"  # the folder of the SavedModel in an exported artifact

# The properties of a push whose model is served already.
_PUSHED = ("pushed", "pushed_destination", "pushed_version")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LastRun:
    """The content of last_run.json.

    Attributes:
      run_id: the run's id, as in ML Metadata.
      digest: from `digest_of`.
    """

    run_id: str
    digest: str

    @classmethod
    def read(cls, folders: Folders) -> LastRun | None:
        """Return the content of the file; None if it is missing or cannot be read."""
        try:
            return cls(**json.loads(_path(folders).read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError):
            _logger.warning("%s cannot be read; every stage is checked", FILE_NAME, exc_info=True)
            return None

    def write(self, folders: Folders) -> None:
        """Write the file atomically."""
        content = {"run_id": self.run_id, "digest": self.digest}
        files.write_whole(str(_path(folders)), json.dumps(content))


@dataclass(frozen=True)
class Same:
    """A run that did all that another one would do.

    Attributes:
      run_id: the run's id, as in ML Metadata.
      pushed: what its push recorded about the served version.
    """

    run_id: str
    pushed: Mapping[str, int | float | str]


def forget(folders: Folders) -> None:
    """Remove the file, because something is about to happen."""
    _path(folders).unlink(missing_ok=True)


def digest_of(
    dataset: Dataset, folders: Folders, known: DigestCache, *, allow_anomalies: bool
) -> str:
    """Return a digest of all that the stages of a run depend on.

    It covers more than the stages' cache keys, such as every line of code. If it is equal, nothing
    has changed; if it differs, each stage is checked.

    Raises:
      FileNotFoundError: a source file does not exist.
      OSError: a source file cannot be read.
      StoreError: the store does not answer, or refuses.
    """
    inputs = [
        digests.project(),
        dataset.spec.model_dump_json(),
        dataset.schema_text,
        dataset.code,
        dataset.source_patterns,
        source.fingerprint(dataset, known),
        folders.artifacts,
        folders.serving,
        allow_anomalies,
    ]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


def since(
    folders: Folders, digest: str, sealing: Seals, nodes: Collection[str] = dag.NODES
) -> Same | None:
    """Return the last run if everything is as it left it; None if there may be work to do.

    Args:
      folders: the pipeline's folders, on a disk.
      digest: the present result of `digest_of`.
      sealing: checks the artifacts.
      nodes: the nodes of the run.
    """
    last = LastRun.read(folders)
    if last is None or last.digest != digest or not folders.metadata.exists():
        return None
    executions = lineage.read_run(folders.metadata, last.run_id)
    good = {n for n, e in executions.items() if e.state in ("COMPLETE", "CACHED")}
    if good != set(nodes) or not _sealed(executions, sealing):
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
    """Return whether the newest version is the judged model, by the same comparison as push."""
    version = newest(serving)
    pushed = executions["push"].outputs["pushed"].properties
    if version is None or not pushed.get("pushed") or pushed["pushed_destination"] != version:
        return False
    exported = f"{executions['export'].outputs['exported'].uri}/{_MODEL}"
    expected = content_digest(exported)
    judged = {
        executions[node].outputs[channel].properties.get(JUDGED)
        for node, channel in (("evaluate", "blessing"), ("parity", "proof"))
    }
    return judged == {expected} and content_digest(version) == expected


def _path(folders: Folders) -> Path:
    return folders.root / FILE_NAME
