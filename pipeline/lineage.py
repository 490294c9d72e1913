"""Reads back from ML Metadata what a run did, and removes what a killed run left behind.

ML Metadata is the record; folders of executions that it has as failed are leftovers. Reading is
possible while a run is at work, and does not affect the run.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components import files
from schemas.errors import ConfigError

if TYPE_CHECKING:
    from ml_metadata import MetadataStore

_RUN = "pipeline_run"  # the type of TFX's context that holds one run's executions
_NODE = "node"  # that of one node's executions
_VERSION_TABLE = "MLMDEnv"  # holds the version of ML Metadata's tables
_CACHE = "execution_cache"  # the type of context in which TFX looks up cached outputs
_OWN = {"id", "name", "execution_id", "milliseconds_since_epoch"}
_OWN |= {"create_time_since_epoch", "last_update_time_since_epoch"}
_SCRATCH = ".system"  # TFX's folder for files of running executions


@dataclass(frozen=True)
class Artifact:
    """An artifact as recorded.

    Attributes:
      uri: its folder.
      properties: its properties and custom properties.
    """

    uri: str
    properties: Mapping[str, int | float | str]


@dataclass(frozen=True)
class Execution:
    """What one node did in a run.

    Attributes:
      node: its id in the DAG.
      state: as in ML Metadata: COMPLETE, CACHED, FAILED, RUNNING.
      outputs: its artifacts, by channel.
      after: the nodes of the run whose artifacts it took.
    """

    node: str
    state: str
    outputs: Mapping[str, Artifact]
    after: tuple[str, ...] = ()


def check(metadata: Path) -> None:
    """Check that an existing record can be read and extended; imports nothing heavy.

    Raises:
      ConfigError: the file is not a record of ML Metadata, or is damaged.
    """
    if not metadata.exists():
        return
    with _readable(metadata), contextlib.closing(_connect(metadata)) as record:
        tables = {name for (name,) in record.execute("SELECT name FROM sqlite_master")}
        if tables and _VERSION_TABLE not in tables:
            raise sqlite3.DatabaseError(f"it has no table {_VERSION_TABLE}")
        ((result,),) = record.execute("PRAGMA quick_check(1)")
        if result != "ok":
            raise sqlite3.DatabaseError(result)


def read_run(metadata: Path, run_id: str) -> dict[str, Execution]:
    """Return what each node that the run reached did, by node id; empty before the first one."""
    from pipeline.metadata_store import mlmd

    with _as_it_is(metadata) as store:
        context = store.get_context_by_type_and_name(_RUN, run_id)
        if context is None:
            return {}
        executions = store.get_executions_by_context(context.id)
        events = store.get_events_by_execution_ids([e.id for e in executions])
        outputs = _outputs(store, [e.id for e in executions], events)
        nodes = {e.id: _node_of(store, e) for e in executions}
    after = _after(nodes, events)
    done = {}
    for execution in executions:
        node = nodes[execution.id]
        state = mlmd.Execution.State.Name(execution.last_known_state)
        done[node] = Execution(node, state, outputs[execution.id], after[node])
    return done


def latest_parameters(metadata: Path, *functions: str) -> dict[str, int | float | str] | None:
    """Return the parameters of the latest node that succeeded with one of these functions.

    None if there is no such node. A node that is one of several of a stage has another id than its
    function's name.
    """
    from pipeline.metadata_store import mlmd

    good = (mlmd.Execution.COMPLETE, mlmd.Execution.CACHED)
    with _as_it_is(metadata) as store:
        executions = [
            execution
            for execution in store.get_executions()
            if execution.type.rpartition(".")[2] in functions and execution.last_known_state in good
        ]
    if not executions:
        return None
    latest = max(executions, key=lambda execution: execution.id)
    return {**_plain(latest.properties), **_plain(latest.custom_properties)}


def repeat(metadata: Path, of: str, run_id: str, *, anew: str, **changed: int) -> None:
    """Record a run that used all outputs of another again, as TFX records cached nodes.

    Args:
      metadata: the record.
      of: the id of the other run.
      run_id: the id of this run.
      anew: the node that runs every time, and has new artifacts.
      changed: custom properties of those artifacts that differ from the other run's.

    Raises:
      ConfigError: the record cannot be read.
    """
    from pipeline.metadata_store import StatusError, mlmd

    with _readable(metadata, StatusError, RuntimeError):
        store = _open(metadata)
        before = store.get_context_by_type_and_name(_RUN, of)
        own = mlmd.Context(type_id=before.type_id, name=run_id)
        (own.id,) = store.put_contexts([own])
        for execution in sorted(store.get_executions_by_context(before.id), key=lambda e: e.id):
            contexts = [own, *store.get_contexts_by_execution(execution.id)]
            used = [(None, event) for event in store.get_events_by_execution_ids([execution.id])]
            execution.last_known_state = mlmd.Execution.CACHED
            left = {before.id}
            if execution.type.rpartition(".")[2] == anew:
                execution.last_known_state = mlmd.Execution.COMPLETE
                execution.custom_properties["run_id"].string_value = run_id
                left |= {context.id for context in contexts if context.type == _CACHE}
                used = [(_copy_of_output(store, event, changed), event) for _, event in used]
            _strip(execution, *(event for _, event in used))
            store.put_execution(execution, used, [c for c in contexts if c.id not in left])


def tidy(metadata: Path, artifacts: str) -> list[str]:
    """Mark executions that nobody works on as failed, and remove what such executions left behind.

    Call this only while the pipeline is locked: then whatever is still marked as running was
    killed. TFX clears away after a stage that raises, but not after one that is killed. Returns the
    folders that were removed.

    Raises:
      ConfigError: the record cannot be read.
    """
    from pipeline.metadata_store import StatusError, mlmd

    if not metadata.exists():
        return []
    with _readable(metadata, StatusError, RuntimeError):
        store = _open(metadata)
        executions = store.get_executions()
        killed = [
            execution
            for execution in executions
            if execution.last_known_state in (mlmd.Execution.NEW, mlmd.Execution.RUNNING)
        ]
        for execution in killed:
            execution.last_known_state = mlmd.Execution.FAILED
        if killed:
            store.put_executions(killed)
    failed = {str(e.id) for e in executions if e.last_known_state == mlmd.Execution.FAILED}
    leftovers = [
        os.path.join(artifacts, node, channel, execution)
        for node in files.names(artifacts)
        for channel in files.names(os.path.join(artifacts, node))
        for execution in files.names(os.path.join(artifacts, node, channel))
        # a stage works in a folder that has the final name and a suffix: 7.partial-…
        if execution.partition(".")[0] in failed or channel == _SCRATCH
    ]
    for folder in leftovers:
        files.remove(folder)
    return leftovers


@contextlib.contextmanager
def _as_it_is(metadata: Path) -> Iterator[MetadataStore]:
    """Open a copy of the record as it is at this moment.

    ML Metadata creates tables even when it only opens a file. A run that has just begun can fail
    because of that, and so can a reader while a run writes. SQLite copies the last commit as a
    whole.
    """
    from pipeline.metadata_store import StatusError

    with (
        _readable(metadata, StatusError, RuntimeError),
        tempfile.TemporaryDirectory(prefix="skewless-") as folder,
    ):
        copy = Path(folder, metadata.name)
        with (
            contextlib.closing(_connect(metadata)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        yield _open(copy)


def _connect(metadata: Path) -> sqlite3.Connection:
    """Open the file itself.

    It is opened for writing if possible, so that an unfinished change of a killed run is undone.
    """
    return sqlite3.connect(f"{metadata.absolute().as_uri()}?mode=rw", uri=True)


@contextlib.contextmanager
def _readable(metadata: Path, *more: type[Exception]) -> Iterator[None]:
    """Turn SQLite's errors about a damaged file into one clear error.

    `more` has further types to turn: ML Metadata raises a RuntimeError if it cannot open a file,
    and its own errors if it cannot read the content.
    """
    damaged: tuple[type[Exception], ...] = (sqlite3.DatabaseError, *more)
    try:
        yield
    except damaged as error:
        remedy = "restore a copy of it, or move it away: the next run then starts again, and pushed"
        remedy += " models stay"
        if isinstance(error, sqlite3.OperationalError):  # locked or not readable, but not damaged
            remedy = "check that the file can be read and written, and that no process locks it"
        raise ConfigError(
            f"the record of earlier runs cannot be read: {error}",
            where=str(metadata),
            expected="an SQLite file of ML Metadata, as runs of this pipeline keep it",
            remedy=remedy,
        ) from error


def _open(metadata: Path) -> MetadataStore:
    from pipeline.metadata_store import opened

    return opened(metadata)


def _node_of(store: MetadataStore, execution: Any) -> str:
    """Return the id of the node that an execution is of, from TFX's context PIPELINE.NODE."""
    (context,) = (c for c in store.get_contexts_by_execution(execution.id) if c.type == _NODE)
    return str(context.name.rpartition(".")[2])


def _after(nodes: Mapping[int, str], events: Sequence[Any]) -> dict[str, tuple[str, ...]]:
    """Return, by node, the nodes whose artifacts it took."""
    from pipeline.metadata_store import mlmd

    made = {e.artifact_id: nodes[e.execution_id] for e in events if e.type == mlmd.Event.OUTPUT}
    taken: dict[str, dict[str, None]] = {node: {} for node in nodes.values()}
    for event in events:
        if event.type == mlmd.Event.INPUT and event.artifact_id in made:
            taken[nodes[event.execution_id]][made[event.artifact_id]] = None
    return {node: tuple(sorted(before)) for node, before in taken.items()}


def _outputs(
    store: MetadataStore, executions: list[int], events: Sequence[Any]
) -> dict[int, dict[str, Artifact]]:
    from pipeline.metadata_store import mlmd

    written = [event for event in events if event.type == mlmd.Event.OUTPUT]
    artifacts = {a.id: a for a in store.get_artifacts_by_id({e.artifact_id for e in written})}
    outputs: dict[int, dict[str, Artifact]] = {execution: {} for execution in executions}
    for event in written:
        artifact = artifacts[event.artifact_id]
        properties = {**_plain(artifact.properties), **_plain(artifact.custom_properties)}
        channel = event.path.steps[0].key
        outputs[event.execution_id][channel] = Artifact(artifact.uri, properties)
    return outputs


def _copy_of_output(store: MetadataStore, event: Any, changed: Mapping[str, int]) -> Any:
    """Return an unsaved copy of the artifact that an event puts out; None for an input."""
    from pipeline.metadata_store import mlmd

    if event.type != mlmd.Event.OUTPUT:
        return None
    (artifact,) = store.get_artifacts_by_id([event.artifact_id])
    for name, value in changed.items():
        artifact.custom_properties[name].int_value = value
    event.ClearField("artifact_id")
    _strip(artifact)
    return artifact


def _strip(*messages: Any) -> None:
    """Clear the ids and times of executions, events and artifacts."""
    for message in messages:
        for field in _OWN & {field.name for field in message.DESCRIPTOR.fields}:
            message.ClearField(field)


def _plain(values: Mapping[str, Any]) -> dict[str, int | float | str]:
    return {name: getattr(value, value.WhichOneof("value")) for name, value in values.items()}
