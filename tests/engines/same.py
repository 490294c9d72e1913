"""Holds what two runs made against each other: the order of rows aside, they are to be equal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tensorflow_metadata.proto.v0 import statistics_pb2

from pipeline.folders import Folders
from schemas.spec import SPLITS

# Floating point sums differ in their last digits with the order in which workers add them up.
CLOSE = 1e-6


def artifact(folders: Folders, node: str, channel: str) -> Path:
    """Return the one artifact of a node."""
    (path,) = (folders.artifacts / node / channel).iterdir()
    return path


def rows(folder: Path, split: str) -> pa.Table:
    """Return a split's rows in an order that depends on their values alone."""
    table = pa.concat_tables(
        pq.read_table(path) for path in folder.glob(f"Split-{split}/*.parquet")
    )
    table = table.select(sorted(table.column_names)).combine_chunks()
    return table.sort_by([(name, "ascending") for name in table.column_names])


def require_same_rows(one: Folders, other: Folders, node: str, channel: str) -> None:
    for split in SPLITS:
        ours, theirs = (rows(artifact(f, node, channel), split) for f in (one, other))
        assert ours.num_rows == theirs.num_rows > 0
        assert ours.schema == theirs.schema
        for name in ours.column_names:
            assert ours[name].equals(theirs[name]), f"{node}, {split}: {name} differs"


def require_same_statistics(one: Folders, other: Folders) -> None:
    for split in SPLITS:
        ours, theirs = (
            _statistics(artifact(f, "statistics", "statistics"), split) for f in (one, other)
        )
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            _require_close(value, theirs[name], f"statistics, {split}: {name}")


def _statistics(folder: Path, split: str) -> dict[str, Any]:
    from google.protobuf import json_format

    proto = statistics_pb2.DatasetFeatureStatisticsList()
    proto.ParseFromString((folder / f"Split-{split}/FeatureStats.pb").read_bytes())
    (dataset,) = proto.datasets
    assert dataset.num_examples > 0
    features = {f.path.step[0]: json_format.MessageToDict(f) for f in dataset.features}
    return {"num_examples": dataset.num_examples, **features}


def _require_close(ours: Any, theirs: Any, where: str) -> None:
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys(), where
        for key, value in ours.items():
            _require_close(value, theirs[key], f"{where}.{key}")
    elif isinstance(ours, list):
        assert len(ours) == len(theirs), where
        for index, (mine, its) in enumerate(zip(ours, theirs, strict=True)):
            _require_close(mine, its, f"{where}[{index}]")
    elif isinstance(ours, float):
        assert abs(ours - theirs) <= CLOSE * max(1.0, abs(ours)), f"{where}: {ours} and {theirs}"
    else:
        assert ours == theirs, where


def require_same_vocabularies(one: Folders, other: Folders) -> None:
    ours, theirs = (
        {
            path.name: path.read_bytes()
            for path in (
                artifact(f, "transform", "transform_graph") / "transform_fn/assets"
            ).iterdir()
        }
        for f in (one, other)
    )
    assert ours
    assert ours == theirs


def require_same_gates(one: Folders, other: Folders) -> None:
    """Hold that both models were blessed, proven and pushed, on equal rows, and are as good."""
    ours, theirs = (_metrics(f) for f in (one, other))
    assert ours["blessed"]
    assert theirs["blessed"]
    assert ours["overall"]["examples"] == theirs["overall"]["examples"]
    assert abs(ours["overall"]["auc"] - theirs["overall"]["auc"]) < 0.005
    for folders in (one, other):
        assert (artifact(folders, "parity", "proof") / "INFRA_BLESSED").exists()
        assert (folders.serving / "1/saved_model.pb").exists()


def _metrics(folders: Folders) -> dict[str, Any]:
    text = (artifact(folders, "evaluate", "evaluation") / "metrics.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def require_same(one: Folders, other: Folders) -> None:
    """Hold all that a run makes of data against each other, and the models' gates."""
    require_same_rows(one, other, "ingest", "examples")
    require_same_statistics(one, other)
    require_same_vocabularies(one, other)
    require_same_rows(one, other, "transform", "transformed_examples")
    require_same_gates(one, other)
