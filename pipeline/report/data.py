"""What a run knows of its data → the content of the data page, as values of JSON.

Reads artifacts: the statistics of every split, relations.json, findings.json, counts.json, the
rejects and the schema. Imports neither TensorFlow nor Beam.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components import files
from components.ingest.counts import Counts, SplitFacts
from components.validate import stored
from components.validate.files import SCHEMA
from components.validate.findings import Finding, Findings
from components.validate.gate import merge_environments
from components.validate.relations import Estimate, Relations
from pipeline.lineage import Execution
from pipeline.rejects import by_reason, read_rejects
from pipeline.report import distributions
from schemas.columns import Column, read_columns
from schemas.splits.options import SPLITS

_SAMPLES = 5  # records of each reason
_LONGEST_RECORD = 300
_MICROSECONDS = 1000  # in a millisecond, JavaScript's unit of times


@dataclass(frozen=True)
class Sources:
    """The folders of the artifacts that the page is made from.

    Attributes:
      examples: the examples, with their counts and the rejects.
      schema: the schema.
      statistics: the statistics.
      anomalies: the findings; None if the data were not validated.
    """

    examples: str
    schema: str
    statistics: str
    anomalies: str | None = None

    @classmethod
    def of(cls, executions: Mapping[str, Execution]) -> Sources | None:
        """Return those of a run, by node; None if it ended before the statistics."""
        whole = {n: e.outputs for n, e in executions.items() if e.state in ("COMPLETE", "CACHED")}
        if not {"ingest", "import_schema", "statistics"} <= whole.keys():
            return None
        return cls(
            examples=whole["ingest"]["examples"].uri,
            schema=whole["import_schema"]["schema"].uri,
            statistics=whole["statistics"]["statistics"].uri,
            anomalies=whole["validate"]["anomalies"].uri if "validate" in whole else None,
        )


def content_of(sources: Sources, *, pipeline: str, run_id: str) -> dict[str, Any]:
    """Return the content of the page.

    Raises:
      DataError: an artifact is not there, or is damaged.
    """
    path = os.path.join(sources.schema, SCHEMA)
    columns = read_columns(files.read_text(path), where=path)
    datasets = {split: stored.load(sources.statistics, split).datasets[0] for split in SPLITS}
    rows = {split: dataset.num_examples for split, dataset in datasets.items()}
    relations, counts = Relations.read(sources.statistics), Counts.read(sources.examples)
    found = Findings(rows=rows) if sources.anomalies is None else Findings.read(sources.anomalies)
    features = {
        split: {".".join(feature.path.step): feature for feature in dataset.features}
        for split, dataset in datasets.items()
    }
    related = {each.column: each for each in relations.columns} if relations else {}
    shown = [
        _column(column, features, rows, found) | {"relation": _relation(related.get(column.name))}
        for column in columns
    ]
    return {
        "pipeline": pipeline,
        "run": run_id,
        "counts": None if counts is None else counts.model_dump(exclude={"splits", "sampled"}),
        "splits": _splits(rows, relations, shown, counts),
        "outcome": None if relations is None else _outcome(relations),
        "findings": _merged(found.findings),
        "columns": shown,
        "correlations": None if relations is None else relations.correlations.model_dump(),
        "rejects": _rejects(sources.examples),
    }


def _column(
    column: Column,
    features: Mapping[str, Mapping[str, Any]],
    rows: Mapping[str, int],
    found: Findings,
) -> dict[str, Any]:
    own = {s: by_name[column.name] for s, by_name in features.items() if column.name in by_name}
    numeric = bool(own) and all(map(distributions.is_numeric, own.values()))
    measured = distributions.numbers(own) if numeric else distributions.values(own)
    if column.type.is_time and numeric:
        measured = _as_milliseconds(measured)
    return {
        "name": column.name,
        "type": column.type.title,
        "kind": "time" if column.type.is_time else "number" if numeric else "category",
        "list": column.is_list,
        "serving": column.serving,
        "splits": distributions.common(own, rows),
        **measured,
        "findings": _merged(f for f in found.findings if f.column == column.name),
        "drift": [
            each.model_dump(exclude={"column"})
            for each in found.drift
            if each.column == column.name
        ],
    }


def _as_milliseconds(measured: dict[str, Any]) -> dict[str, Any]:
    """Return figures of a time in the page's unit."""

    def scaled(value: Any) -> Any:
        return None if value is None else value / _MICROSECONDS

    figures = {
        split: {
            **each,
            **{key: scaled(each.get(key)) for key in ("mean", "minimum", "maximum")},
            "deviation": None,
            "zeros": None,
            "quantiles": [scaled(value) for value in each.get("quantiles", ())],
        }
        for split, each in measured["figures"].items()
    }
    histogram = measured["histogram"]
    if histogram is not None:
        histogram = {**histogram, "edges": [scaled(edge) for edge in histogram["edges"]]}
    return {"figures": figures, "histogram": histogram}


def _relation(relation: Any) -> dict[str, Any] | None:
    if relation is None:
        return None
    bins = [
        {
            **each.model_dump(exclude={"estimates", "value"}, exclude_none=True),
            **({"value": distributions.cut(each.value)} if each.value is not None else {}),
            "estimates": _estimates(each.estimates),
        }
        for each in relation.bins
    ]
    return {"strength": relation.strength, "distinct": relation.distinct, "bins": bins}


def _outcome(relations: Relations) -> dict[str, Any]:
    return {
        "name": relations.outcome,
        "classes": [distributions.cut(each) for each in relations.classes],
        "weight": relations.weight,
        "sample": relations.sample,
    }


def _estimates(estimates: Iterable[Estimate]) -> list[list[float | None]]:
    return [[each.value, each.low, each.high] for each in estimates]


def _splits(
    rows: Mapping[str, int],
    relations: Relations | None,
    columns: Sequence[Mapping[str, Any]],
    counts: Counts | None,
) -> list[dict[str, Any]]:
    """Return, for each split, its rows, its outcome and the times that it spans."""
    outcomes = relations.splits if relations else {}
    facts = counts.splits if counts else {}
    return [
        {
            "name": split,
            "rows": count,
            "estimates": _estimates(outcomes[split].estimates) if split in outcomes else [],
            "times": [*_times(split, columns)] or [*_own_time(facts.get(split))],
        }
        for split, count in rows.items()
    ]


def _times(split: str, columns: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for column in columns:
        figures = column["figures"].get(split, {})
        if column["kind"] == "time" and figures.get("minimum") is not None:
            first, last = figures["minimum"], figures["maximum"]
            yield {"column": column["name"], "first": first, "last": last}


def _own_time(facts: SplitFacts | None) -> Iterator[dict[str, Any]]:
    """Yield the time by which rows were split, where no column of times has it."""
    if facts is not None and facts.time is not None:
        first, last = map(str, facts.time)
        yield {"column": "time", "first": first, "last": last}


def _merged(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return each finding once for both environments, errors first."""
    merged = sorted(merge_environments(findings), key=lambda each: each[0].severity)
    return [
        {**finding.model_dump(exclude={"environment", "split"}), "where": where}
        for finding, where in merged
    ]


def _rejects(examples: str) -> list[dict[str, Any]]:
    folder = os.path.join(examples, "rejects")
    return [
        {
            "reason": reason,
            "column": column,
            "rows": len(rows),
            "samples": [
                {
                    "source": os.path.basename(each["source"]),
                    "line": each["line"],
                    "value": None if each["value"] is None else distributions.cut(each["value"]),
                    "record": each["record"].rstrip()[:_LONGEST_RECORD],
                }
                for each in rejects.take(rows[:_SAMPLES]).to_pylist()
            ],
        }
        for rejects in [read_rejects(folder)]
        for (reason, column), rows in by_reason(rejects)
    ]
