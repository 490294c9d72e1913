"""The summary of a run: read back from its artifacts, stored as summary.json.

Figures come from the outputs of the stages, not from their progress events, so a run that used
everything again reports the same as the one that computed it. A failed run has the figures of the
stages that finished.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from components import files
from pipeline.board import Stage
from pipeline.lineage import Execution
from schemas.errors import ModelError, SkewlessError
from schemas.strict import Strict
from schemas.tasks import BY_NAME
from schemas.tasks.options import TaskOptions

FILE_NAME = "summary.json"

_BEGUN = ("running", "done", "failed")  # states of a stage that has started

Status = Literal["pushed", "unchanged", "refused", "failed", "interrupted", "partial"]


class StageSummary(Strict):
    """What one stage did.

    Attributes:
      name: its node in the DAG.
      state: "done", "cached", "failed", or "waiting" if the run did not reach it.
      seconds: its duration.
      rows: how many rows it processed; 0 if it does not count rows.
      rows_per_second: None if no rows are counted.
      notes: figures that it reported for the summary.
      started: when it started, in seconds since the first stage did; None if it did not start.
      memory: the most bytes that the run's process had in memory until the stage ended; None if
        it is not known.
    """

    name: str
    state: str
    seconds: float
    rows: int
    rows_per_second: float | None
    notes: dict[str, float | int | str]
    started: float | None = None
    memory: int | None = None


class Failure(Strict):
    """Why the run ended early, or without a pushed model.

    Attributes:
      stage: the node that failed; None if no stage was running.
      kind: the error's class.
      what: what is wrong.
      where: the file, line or row.
      expected: what is correct instead.
      remedy: what to do.
    """

    stage: str | None
    kind: str
    what: str
    where: str | None
    expected: str | None
    remedy: str | None

    @classmethod
    def of(cls, error: SkewlessError, stage: str | None) -> Failure:
        """Convert an error to data."""
        return cls(
            stage=stage,
            kind=type(error).__name__,
            what=error.what,
            where=error.where,
            expected=error.expected,
            remedy=error.remedy,
        )


class Summary(Strict):
    """The content of summary.json.

    Attributes:
      format: the version of the file's layout.
      pipeline: the dataset's name.
      run_id: the run's id, as in ML Metadata.
      status: "pushed", a new version is served; "unchanged", the newest version is this model;
        "refused", the model is not blessed or not proven; "failed"; "interrupted";
        "partial", it ended before push, as the user chose.
      seconds: the duration of the command until the summary.
      stages: in the order of the DAG.
      counts: rows read, by split and rejected, as ingest counted; None if ingest did not finish.
      rejects: the folder of the rejected rows and their reasons.
      findings: anomalies in the data, as validation found them, each once for both environments.
      rules: what each rule of pipeline.yaml gave for each of its splits.
      drift: every measured drift, below its threshold or not.
      selection: selection.json; None without a selection.
      anomalies_allowed: whether the user chose to continue in spite of them.
      training: training.json; None if training did not finish.
      evaluation: metrics.json with the blessing, without most slices that did well.
      parity: parity.json.
      version: the served version; None if nothing was pushed.
      model: the folder of that version.
      serve: a command that serves it; None if it is in a store.
      error: why the run failed, or why the model was refused.
      log: the log of the libraries.
      data_page: the page about the data; None if the statistics were not computed.
      report: the report of the run, or that of the earlier run that it repeats; None if there is
        none.
      command: the command line, without secrets; None if Python started the run.
    """

    format: Literal[1] = 1
    pipeline: str
    run_id: str
    status: Status
    seconds: float
    stages: tuple[StageSummary, ...]
    counts: dict[str, Any] | None = None
    rejects: str | None = None
    findings: tuple[dict[str, Any], ...] = ()
    rules: tuple[dict[str, Any], ...] = ()
    drift: tuple[dict[str, Any], ...] = ()
    selection: dict[str, Any] | None = None
    anomalies_allowed: bool = False
    training: dict[str, Any] | None = None
    evaluation: dict[str, Any] | None = None
    parity: dict[str, Any] | None = None
    version: int | None = None
    model: str | None = None
    serve: str | None = None
    error: Failure | None = None
    log: str
    data_page: str | None = None
    report: str | None = None
    command: str | None = None

    def write(self, folder: Path) -> None:
        """Write summary.json into the run's folder, atomically."""
        files.write_whole(str(folder / FILE_NAME), self.model_dump_json(indent=2) + "\n")


def stage_summaries(stages: Iterable[Stage]) -> tuple[StageSummary, ...]:
    """Return the stages of a board as data, in the board's order."""
    stages = list(stages)
    begun = [stage.started for stage in stages if stage.state in _BEGUN]
    return tuple(
        StageSummary(
            name=stage.name,
            state=stage.state,
            seconds=round(stage.seconds, 3),
            rows=stage.rows,
            rows_per_second=stage.rows_per_second(stage.started + stage.seconds),
            notes=stage.notes,
            started=round(stage.started - min(begun), 3) if stage.state in _BEGUN else None,
            memory=stage.memory or None,
        )
        for stage in stages
    )


def figures(executions: Mapping[str, Execution], serving: str, name: str) -> dict[str, Any]:
    """Return the fields of `Summary` that the artifacts of a run contain.

    Args:
      executions: what each node did, by node; missing and failed ones give no figures.
      serving: the serving folder.
      name: the name under which the model is served.
    """
    whole = {n: e.outputs for n, e in executions.items() if e.state in ("COMPLETE", "CACHED")}
    fields: dict[str, Any] = {}
    if "ingest" in whole:
        fields["counts"] = _counts(whole["ingest"]["examples"].uri)
        fields["rejects"] = os.path.join(whole["ingest"]["examples"].uri, "rejects")
    if "validate" in whole:
        fields |= _findings(whole["validate"]["anomalies"].uri)
    if "select" in whole:
        fields["selection"] = _selection(whole["select"]["selection"].uri)
    if "train" in whole:
        fields["training"] = _training(whole["train"]["model"].uri)
    if "evaluate" in whole:
        fields["evaluation"] = _evaluation(whole["evaluate"]["evaluation"].uri)
    if "parity" in whole:
        fields["parity"] = _parity(whole["parity"]["proof"].uri)
    if "push" in whole:
        fields |= _pushed(whole["push"]["pushed"].properties, serving, name)
    return fields


def task_of(evaluation: Mapping[str, Any]) -> type[TaskOptions]:
    """Return the kind of task of a summary's evaluation."""
    return BY_NAME[evaluation.get("task", "binary")]  # earlier runs had no other task


def serve_command(serving: str) -> str | None:
    """Return a command that serves the newest version of a folder; None for a store's folder."""
    return (
        None
        if files.in_store(serving)
        else f"skewless serve {shlex.quote(os.path.dirname(serving))}"
    )


def refusal(fields: Mapping[str, Any]) -> ModelError | None:
    """Return the error with all reasons why the model was not pushed; None if there are none.

    Args:
      fields: from `figures`.
    """
    from components.parity.proof import Proof, describe

    against, expected = [], []
    evaluation, parity = fields.get("evaluation"), fields.get("parity")
    if evaluation is not None and not evaluation["blessed"]:
        reasons = [f"  {reason['text']}" for reason in evaluation["reasons"]]
        against.append("\n".join(["the model is not blessed:", *reasons]))
        expected.append("a model inside evaluation.thresholds of pipeline.yaml")
    if parity is not None and not parity["proven"]:
        against.append(describe(Proof.model_validate(parity)))
        expected.append("the same values from every serving path")
    if not against:
        return None
    return ModelError(
        "\n".join(against),
        expected="; ".join(expected),
        remedy="the served version is unchanged; improve the model or its data, then run again",
    )


def _counts(uri: str) -> dict[str, Any] | None:
    from components.ingest.counts import Counts

    counts = Counts.read(uri)  # None if a stock component wrote the examples
    return None if counts is None else counts.model_dump(mode="json", exclude_none=True)


def _findings(uri: str) -> dict[str, Any]:
    from components.validate.findings import Findings
    from components.validate.gate import merge_environments

    found = Findings.read(uri)
    merged = merge_environments(found.findings)
    return {
        "findings": tuple({**f.model_dump(mode="json"), "where": where} for f, where in merged),
        "rules": tuple(rule.model_dump(mode="json") for rule in found.rules),
        "drift": tuple(drift.model_dump(mode="json") for drift in found.drift),
    }


def _selection(uri: str) -> dict[str, Any]:
    from components.select.selected import Selected

    selected = Selected.read(uri)
    return selected.model_dump(mode="json") | {"dropped": selected.dropped}


def _evaluation(uri: str) -> dict[str, Any]:
    from components.evaluate.report import Report

    return Report.read(uri).model_dump(mode="json", exclude={"slices"})


def _parity(uri: str) -> dict[str, Any]:
    from components.parity.proof import Proof

    return Proof.read(uri).model_dump(mode="json")


def _training(uri: str) -> dict[str, Any]:
    return dict(json.loads(files.read_bytes(os.path.join(uri, "training.json"))))


def _pushed(properties: Mapping[str, Any], serving: str, name: str) -> dict[str, Any]:
    if not properties.get("pushed"):
        return {}
    return {
        "version": int(properties["pushed_version"]),
        "model": properties["pushed_destination"],
        "serve": serve_command(serving),
        "status": "pushed" if properties["new"] else "unchanged",
    }
