"""Drift against other data: of a span against the one before, of train against a pushed model's.

Statistics of both and the schema's drift_comparators give measurements, and findings where one is
above its threshold.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2

from components.validate import drift, kinds, stored
from components.validate.comparisons import ComparedRows
from components.validate.findings import AnomalyReader, Drift, Finding
from schemas.columns import TRAINING


def compare(
    comparisons: Sequence[ComparedRows], schema: schema_pb2.Schema, reader: AnomalyReader
) -> tuple[list[Finding], list[Drift]]:
    """Return what has drifted, and all that was measured.

    Args:
      comparisons: what is compared with what.
      schema: with environments that are declared.
      reader: of the same schema.

    Raises:
      DataError: there are no such statistics.
    """
    findings: list[Finding] = []
    drifts: list[Drift] = []
    for comparison in comparisons:
        found, measured = _compare(comparison, schema, reader)
        findings += found
        drifts += measured
    return findings, drifts


def _compare(
    comparison: ComparedRows, schema: schema_pb2.Schema, reader: AnomalyReader
) -> tuple[list[Finding], list[Drift]]:
    current, before = (
        stored.load(each.folder, each.split) for each in (comparison.current, comparison.before)
    )
    if not current.datasets[0].num_examples or not before.datasets[0].num_examples:
        return [], []
    anomalies = tfdv.validate_statistics(
        current, schema, environment=TRAINING, previous_statistics=before
    )
    measured = [
        each.model_copy(update={"against": comparison.against})
        for each in drift.measured(
            anomalies, split=comparison.of, current=current.datasets[0], train=before.datasets[0]
        )
    ]
    found = reader.read(anomalies, split=comparison.of, environment=TRAINING)
    drifted = [_named(finding, comparison) for finding in found if _is_drift(finding)]
    return list(drift.explain_by_chance(drifted, measured)), measured


def _is_drift(finding: Finding) -> bool:
    """Return whether a finding is of a comparison; the others are those of the splits."""
    return bool(kinds.kind_of(finding.kind, "").measure)


def _named(finding: Finding, comparison: ComparedRows) -> Finding:
    """Return a finding with the name of what the data were compared with, instead of train."""
    texts = {
        field: getattr(finding, field).replace("train", comparison.against)
        for field in ("what", "expected")
    }
    return finding.model_copy(update={**texts, "severity": comparison.severity})
