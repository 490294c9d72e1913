"""Training: the loss of each round, the kept one, the learning rate, folds and trials."""

from __future__ import annotations

import json
import os
from typing import Any

from components import files
from pipeline.report.cards import missing
from pipeline.report.record import Record

HISTORY = "history.json"
_MODEL = ("members", "hidden_units", "deep", "wide", "batch_size", "max_epochs", "patience")


def card(record: Record) -> dict[str, Any]:
    """Return the rounds of each fold, or those of an earlier version's training.json."""
    training = record.summary.training
    if training is None:
        return missing.after(record, "train", "Losses")
    history = record.json("train", "model", HISTORY) or _of_epochs(training)
    return {
        "stop_by": history["stop_by"],
        "folds": history["folds"],
        "rows": {"train": training["train_examples"], "eval": training["eval_examples"]},
        "seconds": training["seconds"],
        "rate": training["examples_per_second"],
        "trials": _trials(record),
        "options": {k: v for k, v in _leaves(record.spec.get("model", {})) if v is not None},
    }


def _trials(record: Record) -> list[dict[str, Any]]:
    """Return the trials of the search that found the options of this run, if one did."""
    path = os.path.join(record.folders.root, "tune", "trials.json")
    if not os.path.isfile(path):
        return []
    found = json.loads(files.read_bytes(path))
    return list(found["trials"]) if found["model"] == record.spec.get("model") else []


def _of_epochs(training: dict[str, Any]) -> dict[str, Any]:
    """Return the history of a run that kept only its losses by epoch."""
    losses = zip(training["loss"], training["eval_loss"], strict=True)
    rounds = [
        {"round": i, "epoch": float(i), "loss": loss, "eval_loss": other, "metrics": {}}
        for i, (loss, other) in enumerate(losses, 1)
    ]
    return {
        "stop_by": "loss",
        "folds": [{"fold": None, "kept": training["best_epoch"], "rounds": rounds}],
    }


def _leaves(values: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the main options of the model, those of its parts by their full names."""
    found: list[tuple[str, Any]] = []
    for name in _MODEL:
        value = values.get(name)
        if isinstance(value, dict):
            found += [(f"{name}.{part}", each) for part, each in value.items() if each]
        else:
            found.append((name, value))
    return found
