"""What validation found, as plain values: TFDV's anomalies in words for a person, and drift.

Anomalies protos and the schema give `Findings`, which are kept as findings.json beside the
anomalies. Needs only protobuf and pydantic.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from components import files
from components.validate import kinds
from components.validate.files import FINDINGS, SCHEMA
from components.validate.rule_results import RuleResult
from schemas.columns import TRAINING, parse_as_written, parse_schema
from schemas.errors import DataError
from schemas.schema_lines import lines_of, place
from schemas.strict import Strict

Severity = Literal["warning", "error"]
RULE = "RULE"  # the kind of a finding about a rule of pipeline.yaml
SEVERITIES: tuple[Severity, ...] = ("warning", "error")  # mildest first


class Finding(Strict):
    """One thing in the data that the schema does not allow.

    Attributes:
      split: the split it was found in.
      environment: "TRAINING", the examples as they are, or "SERVING", as requests would be.
      column: the raw column; "" where it is about the whole split, "rule NAME" where it is about a
        rule.
      severity: TFDV's; "warning" too for a drift that chance explains.
      kind: TFDV's name of the anomaly type, or `RULE`.
      what: what is wrong, in a few words.
      expected: what the schema allows.
      seen: what was there.
      fix: the place in schema.pbtxt, and how to let it through where the data are right.
    """

    split: str
    environment: str
    column: str
    severity: Severity
    kind: str
    what: str
    expected: str
    seen: str
    fix: str


class Drift(Strict):
    """How far a column's distribution in some data is from that in other data.

    Attributes:
      column: the raw column.
      split: the split that was compared with train, or the name of other data.
      measure: "L_INFTY" (largest difference of a value's share), "JENSEN_SHANNON_DIVERGENCE" (in
        bits, 0 to 1) or "NORMALIZED_ABSOLUTE_DIFFERENCE".
      value: what was measured.
      threshold: the schema's.
      chance: what two samples of one source, of these sizes, stay under 999 times in 1,000.
      against: what it was compared with: "train", a span, or a pushed version's training data.
    """

    column: str
    split: str
    measure: str
    value: float
    threshold: float
    chance: float
    against: str = "train"


class Findings(Strict):
    """All that validation found.

    Attributes:
      rows: the rows of each split.
      findings: the anomalies, in the order of the splits.
      drift: every measured drift, below its threshold or not.
      rules: what every rule of pipeline.yaml gave for each of its splits.
    """

    rows: dict[str, int]
    findings: tuple[Finding, ...] = ()
    drift: tuple[Drift, ...] = ()
    rules: tuple[RuleResult, ...] = ()

    def write(self, folder: str) -> None:
        """Write findings.json into the folder."""
        files.write_whole(os.path.join(folder, FINDINGS), self.model_dump_json(indent=1))

    @classmethod
    def read(cls, folder: str) -> Findings:
        """Read a folder's findings.json.

        Raises:
          DataError: there is none.
        """
        path = os.path.join(folder, FINDINGS)
        try:
            return cls.model_validate_json(files.read_bytes(path))
        except FileNotFoundError as error:
            raise DataError("there are no findings", where=path) from error


def rule_findings(results: Iterable[RuleResult]) -> tuple[Finding, ...]:
    """Return the findings about rules that do not hold."""
    return tuple(_rule_finding(result) for result in results if not result.holds)


def _rule_finding(result: RuleResult) -> Finding:
    """Return the finding about a rule that does not hold."""
    such = f"; such as {'; '.join(result.samples)}" if result.samples else ""
    return Finding(
        split=result.split,
        environment=TRAINING,
        column=f"rule {result.name}",
        severity=result.severity,
        kind=RULE,
        what=result.expression,
        expected=result.threshold,
        seen=f"{result.measured}{such}",
        fix=f"pipeline.yaml validation.rules: change {result.name!r}",
    )


class AnomalyReader:
    """Says TFDV's anomalies in the words of one schema.pbtxt."""

    def __init__(self, schema_text: str, *, where: str) -> None:
        self._schema = parse_schema(schema_text, where=where)
        self._features = {feature.name: feature for feature in self._schema.feature}
        written = parse_as_written(schema_text, where=where)
        self._booleans = {f.name for f in written.feature if f.HasField("bool_domain")}
        self._lines = lines_of(schema_text)

    def read(
        self, anomalies: anomalies_pb2.Anomalies, *, split: str, environment: str
    ) -> Iterator[Finding]:
        """Yield a finding for each reason of each anomaly, sorted by column."""
        if anomalies.data_missing and environment == TRAINING:
            yield _no_rows(split)
        found = [(".".join(i.path.step) or key, i) for key, i in anomalies.anomaly_info.items()]
        if anomalies.HasField("dataset_anomaly_info"):
            found.append(("", anomalies.dataset_anomaly_info))
        name_of = anomalies_pb2.DriftSkewInfo.Measurement.Type.Name
        measured = {
            (".".join(drift.path.step), name_of(measurement.type)): measurement.value
            for drift in anomalies.drift_skew_info
            for measurement in drift.drift_measurements
        }
        for column, info in sorted(found, key=lambda pair: pair[0]):
            yield from self._tell(info, column, measured, split, environment)

    def _tell(
        self,
        info: anomalies_pb2.AnomalyInfo,
        column: str,
        measured: Mapping[tuple[str, str], float],
        split: str,
        environment: str,
    ) -> Iterator[Finding]:
        feature = self._features.get(column, schema_pb2.Feature(name=column))
        mild = info.severity == anomalies_pb2.AnomalyInfo.WARNING
        for reason in info.reason:
            name = anomalies_pb2.AnomalyInfo.Type.Name(reason.type)
            kind = kinds.kind_of(name, reason.short_description)
            if column in self._booleans and kind.field == "int_domain":
                kind = kinds.not_a_boolean(kind)
            yield Finding(
                split=split,
                environment=environment,
                column=column,
                severity="warning" if mild else "error",
                kind=name,
                what=kind.what,
                expected=kind.expected(feature, self._schema),
                seen=kind.seen(reason.description, measured.get((column, kind.measure))),
                fix=self._fix(feature, kind),
            )

    def _fix(self, feature: schema_pb2.Feature, kind: kinds.Kind) -> str:
        if not feature.name:
            where = place(self._lines, "dataset_constraints", "", "", SCHEMA)
            return f"{where} dataset_constraints: {kind.widen}"
        if kind.field == "domain" and feature.domain:
            where = place(self._lines, "string_domain", feature.domain, "", SCHEMA)
            return f'{where} string_domain "{feature.domain}": {kind.widen}'
        where = place(self._lines, "feature", feature.name, kind.field, SCHEMA)
        return f'{where} feature "{feature.name}": {kind.widen}'


def _no_rows(split: str) -> Finding:
    return Finding(
        split=split,
        environment=TRAINING,
        column="",
        severity="error",
        kind="NO_ROWS",
        what="no rows",
        expected="at least 1 row",
        seen="0 rows",
        fix="pipeline.yaml splits: another key or larger shares, where there are rows enough",
    )
