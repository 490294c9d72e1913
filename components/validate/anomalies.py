"""Statistics + schema → anomalies and drift.

Every split is checked against the schema twice: as it is (environment TRAINING), and as a log of
requests would look, without the columns that no request carries (SERVING). Eval and test are
compared with train for drift, as other data are (see `comparisons`).
Writes `Split-X/SchemaDiff.pb` (TRAINING, as TFX's own validator leaves it) and findings.json
(everything).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components import files
from components.examples import count_rows
from components.validate import compare, drift, stored
from components.validate.comparisons import ComparedRows
from components.validate.files import anomalies_path, statistics_path
from components.validate.findings import AnomalyReader, Drift, Finding, Findings, rule_findings
from components.validate.measured import Measured, of_statistics
from components.validate.rule_results import RuleResult
from schemas.columns import SERVING, TRAINING, in_environment, parse_schema
from schemas.errors import DataError
from schemas.splits.options import SPLITS

Statistics = Mapping[str, statistics_pb2.DatasetFeatureStatisticsList]


def validate(
    *,
    statistics_dir: str,
    examples: str,
    schema_path: str,
    output: str,
    rules: Sequence[RuleResult] = (),
    comparisons: Sequence[ComparedRows] = (),
) -> Findings:
    """Check the statistics of every split against the schema.

    Args:
      statistics_dir: what `statistics.generate` wrote.
      examples: the examples they are of.
      schema_path: a schema.pbtxt.
      output: the folder to write `Split-X/SchemaDiff.pb` and findings.json into.
      rules: what the rules of pipeline.yaml gave.
      comparisons: those with other data than the run's splits.

    Returns:
      What was found, as written.

    Raises:
      DataError: the statistics are not of these examples.
    """
    text = files.read_text(schema_path)
    schema = declare_environments(parse_schema(text, where=schema_path))
    reader = AnomalyReader(text, where=schema_path)
    measured = {split: stored.load(statistics_dir, split) for split in SPLITS}
    _check_rows(measured, examples, statistics_dir)
    findings: list[Finding] = []
    drifts: list[Drift] = []
    for split in SPLITS:
        anomalies = _training_anomalies(split, measured, schema)
        found_there = anomalies.SerializeToString(deterministic=True)
        files.write_whole(anomalies_path(output, split), found_there)
        drifts += _drift(anomalies, split, measured)
        columns = of_statistics(measured[split].datasets[0])
        of_training = reader.read(anomalies, split=split, environment=TRAINING)
        findings += [_with_share(finding, columns) for finding in of_training]
        anomalies = _serving_anomalies(measured[split], schema)
        of_serving = reader.read(anomalies, split=split, environment=SERVING)
        findings += [_with_share(finding, columns) for finding in of_serving]
    drifted, compared = compare.compare(comparisons, schema, reader)
    found = Findings(
        rows={split: measured[split].datasets[0].num_examples for split in SPLITS},
        findings=(
            *drift.explain_by_chance(findings, drifts),
            *drifted,
            *rule_findings(rules),
        ),
        drift=(*drifts, *compared),
        rules=tuple(rules),
    )
    found.write(output)
    return found


def declare_environments(schema: schema_pb2.Schema) -> schema_pb2.Schema:
    """Return the schema with TRAINING and SERVING among its environments, columns unchanged.

    TFDV refuses an environment that `default_environment` does not list. A schema that lists none
    means that columns are in all of them; one that lists others, that they are in none but these.
    """
    declared = schema_pb2.Schema()
    declared.CopyFrom(schema)
    for environment in (TRAINING, SERVING):
        if environment in schema.default_environment:
            continue
        declared.default_environment.append(environment)
        for feature in declared.feature if schema.default_environment else ():
            if environment not in feature.in_environment:
                feature.not_in_environment.append(environment)
    return declared


def as_requests(
    measured: statistics_pb2.DatasetFeatureStatisticsList, schema: schema_pb2.Schema
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Return the statistics that a log of these examples' requests would have.

    The same rows without the columns that are known only afterwards. Checked in the environment
    SERVING, they show which columns every request must carry and no example has.
    """
    unknown = {f.name for f in schema.feature if not in_environment(schema, f, SERVING)}
    requests = statistics_pb2.DatasetFeatureStatisticsList()
    requests.CopyFrom(measured)
    dataset = requests.datasets[0]
    kept = [feature for feature in dataset.features if feature.path.step[0] not in unknown]
    del dataset.features[:]
    dataset.features.extend(kept)
    return requests


def _with_share(finding: Finding, columns: Mapping[str, Measured]) -> Finding:
    """Return a finding about a `shape` with the share of rows that lack a value.

    TFDV does not say how many these are.
    """
    column = columns.get(finding.column)
    if finding.kind != "INVALID_FEATURE_SHAPE" or column is None:
        return finding
    missing = column.rows - column.present
    seen = f"{missing:,} of {column.rows:,} rows without one ({100 * missing / column.rows:.4g} %)"
    return finding.model_copy(update={"seen": seen})


def _check_rows(measured: Statistics, examples: str, statistics_dir: str) -> None:
    for split, lists in measured.items():
        counted, stored = lists.datasets[0].num_examples, count_rows(examples, split)
        if counted != stored:
            raise DataError(
                f"the statistics of split {split!r} are of {counted:,} rows, "
                f"its examples have {stored:,}",
                where=f"{statistics_path(statistics_dir, split)} and {examples}",
                expected="every row measured, once",
                remedy="compute the statistics again from these examples",
            )


def _training_anomalies(
    split: str, measured: Statistics, schema: schema_pb2.Schema
) -> anomalies_pb2.Anomalies:
    train = measured["train"]
    comparable = split != "train" and train.datasets[0].num_examples > 0
    return tfdv.validate_statistics(
        measured[split],
        schema,
        environment=TRAINING,
        previous_statistics=train if comparable else None,
    )


def _serving_anomalies(
    measured: statistics_pb2.DatasetFeatureStatisticsList, schema: schema_pb2.Schema
) -> anomalies_pb2.Anomalies:
    return tfdv.validate_statistics(as_requests(measured, schema), schema, environment=SERVING)


def _drift(anomalies: anomalies_pb2.Anomalies, split: str, measured: Statistics) -> list[Drift]:
    current, train = measured[split].datasets[0], measured["train"].datasets[0]
    return list(drift.measured(anomalies, split=split, current=current, train=train))
