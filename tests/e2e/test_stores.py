"""A run with data, folder and pushed models in an object store equals the run on a disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from components import files, store_patience
from components.examples import iter_batches
from components.validate import stored
from pipeline import dag, lineage, skew
from pipeline.folders import Folders
from pipeline.run import run
from pipeline.summary import FILE_NAME, Summary
from schemas import catalog
from schemas.errors import StoreError
from schemas.splits.options import SPLITS
from tests import emulators
from tests.at_start import at_start
from tests.e2e.conftest import Outcome
from tests.emulators import Emulator

pytestmark = [pytest.mark.e2e, pytest.mark.long]

STORE = f"gs://{emulators.BUCKET}"


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    """The store."""
    with emulators.running(tmp_path) as both:
        yield both.google


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder on this machine."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def artifacts(folders: Folders, run_id: str) -> dict[str, str]:
    """Return the paths of the artifacts to compare."""
    executions = lineage.read_run(folders.metadata, run_id)
    wanted = {
        "ingest": "examples",
        "statistics": "statistics",
        "transform": "transformed_examples",
        "export": "exported",
    }
    return {node: executions[node].outputs[channel].uri for node, channel in wanted.items()}


def test_a_run_in_a_store(
    first: Outcome,
    root: Path,
    csv: Path,
    make_dataset: Callable[..., Path],
    emulator: Emulator,
    state: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files.copy_file(str(csv), f"{STORE}/data/trips.csv")
    dataset = catalog.load(str(make_dataset(spec={"source": {"path": f"{STORE}/data/*.csv"}})))
    folders = Folders.of(f"{STORE}/runs", "taxi")

    # the store stops when training is done: that is reported once, and nothing is published
    monkeypatch.setenv(store_patience.VARIABLE, "0")
    with (
        at_start("export", emulator.stop),
        pytest.raises(
            StoreError, match=r"^the store does not answer: .*Connection refused"
        ) as error,
    ):
        run(dataset, output=f"{STORE}/runs")
    assert (error.value.where or "").startswith(f"{STORE}/runs/taxi/artifacts/")
    emulator.start()
    assert files.walk(folders.serving) == []

    # the next run continues from there
    monkeypatch.delenv(store_patience.VARIABLE)
    summary = run(dataset, output=f"{STORE}/runs")
    states = {s.name: s.state for s in summary.stages if s.name in dag.NODES}
    assert states.pop("push") == "done"
    done = {node for node, state in states.items() if state == "done"}
    assert done == {"export", "evaluate", "explain", "parity"}
    assert (summary.status, summary.model) == ("pushed", f"{STORE}/runs/taxi/serving/1")
    assert summary.parity is not None
    assert summary.parity["proven"]
    assert files.is_file(f"{STORE}/runs/taxi/serving/1/saved_model.pb")

    # everything equals the run on a disk
    here = artifacts(Folders.of(root, "taxi"), first.summary.run_id)
    there = artifacts(folders, summary.run_id)
    assert all(uri.startswith(STORE) for uri in there.values())
    for node in ("ingest", "transform"):
        for split in SPLITS:
            ours, theirs = (
                pa.Table.from_batches(list(iter_batches(where[node], split)))
                for where in (there, here)
            )
            assert ours.equals(theirs)
    for split in SPLITS:
        assert stored.load(there["statistics"], split) == stored.load(here["statistics"], split)
    assert files.walk(there["export"]) == files.walk(here["export"])
    assert summary.counts == first.summary.counts
    judged, expected = ((s.evaluation or {})["overall"] for s in (summary, first.summary))
    assert judged["auc"] == pytest.approx(expected["auc"], abs=0.01)

    # another machine finds the runs in the store alone
    shutil.rmtree(state)
    again = run(dataset, output=f"{STORE}/runs")
    assert again.status == "unchanged"
    assert {s.state for s in again.stages if s.name in dag.NODES[:-1]} == {"cached"}
    text = files.read_text(f"{STORE}/runs/taxi/runs/{again.run_id}/{FILE_NAME}")
    assert Summary.model_validate_json(text) == again
    shutil.rmtree(state)
    assert skew.find(f"{STORE}/runs/taxi").run_id == again.run_id
