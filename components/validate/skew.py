"""Requests against training data: what moved, by how much, and whether that is beyond a threshold.

Request logs and a run's schema and statistics give a `Skew`. The statistics code is the run's, so
that no difference is one of definition. Measures and their bounds are TFDV's. A difference that two
samples of one source show by chance does not count as moved.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components import files
from components.validate import drift, log_files, request_logs, statistics, stored
from components.validate.anomalies import declare_environments
from components.validate.findings import AnomalyReader, Drift, Finding
from components.validate.moved import MISSING, Moved, NewValue, Skew
from components.validate.request_logs import SPLIT, Read
from schemas.columns import SERVING, parse_schema, read_columns

DEFAULT_THRESHOLD = 0.1

# The run's own held-out splits show what the measures make of data that did not move. Seconds and
# places of taxi trips come in heaps; TFDV, which spreads values evenly within a bucket, finds a
# divergence of up to 0.15 between random splits of them, of any size.
_HELD_OUT = ("eval", "test")
_NOISE_MARGIN = 2.0

_NEW_VALUES = 3  # of a column that are shown


def measure(
    logs: Sequence[str],
    *,
    schema_path: str,
    statistics_dir: str,
    columns: Sequence[str],
    threshold: float = DEFAULT_THRESHOLD,
) -> Skew:
    """Compare request logs with the data a model was trained on.

    Args:
      logs: files, and folders of them.
      schema_path: the run's schema.pbtxt.
      statistics_dir: the run's statistics.
      columns: those that the model takes.
      threshold: of columns without a skew_comparator in the schema, and of missing values.

    Raises:
      ConfigError: there are no logs.
      LogError: they cannot be read, or hold no request.
      DataError: there are no statistics of the training split.
    """
    paths = log_files.find(logs)
    train = stored.load(statistics_dir, "train")
    text = files.read_text(schema_path)
    whole = declare_environments(parse_schema(text, where=schema_path))
    schema = _restricted(whole, columns)
    described = read_columns(text, where=schema_path)
    served_columns = tuple(column for column in described if column.name in columns)
    with tempfile.TemporaryDirectory(prefix="skewless-skew-") as folder:
        examples, output = os.path.join(folder, "examples"), os.path.join(folder, "statistics")
        read = request_logs.to_examples(paths, served_columns, examples)
        statistics.generate(examples=examples, schema=schema, output=output, splits=(SPLIT,))
        requests = stored.load(output, SPLIT)
    compared = _with_comparators(schema, threshold)

    def against_training(other: statistics_pb2.DatasetFeatureStatisticsList) -> list[Drift]:
        return [*_skew(train, other, compared), *_missing(train, other, columns, threshold)]

    loaded = [stored.load(statistics_dir, split) for split in _HELD_OUT]
    held_out = [split for split in loaded if split.datasets[0].num_examples]
    measured = with_noise(
        against_training(requests), [each for split in held_out for each in against_training(split)]
    )
    anomalies = _anomalies(requests, schema, AnomalyReader(text, where=schema_path))
    return _told(read, train, requests, measured, anomalies, threshold)


def _restricted(schema: schema_pb2.Schema, names: Sequence[str]) -> schema_pb2.Schema:
    """Return the schema of these columns alone: requests need no others."""
    kept = schema_pb2.Schema()
    kept.CopyFrom(schema)
    del kept.feature[:]
    kept.feature.extend(feature for feature in schema.feature if feature.name in names)
    return kept


def _with_comparators(schema: schema_pb2.Schema, threshold: float) -> schema_pb2.Schema:
    """Return the schema with a skew_comparator in every column: its own, or the default."""
    compared = schema_pb2.Schema()
    compared.CopyFrom(schema)
    quantiles = schema_pb2.HistogramSelection.QUANTILES
    for feature in compared.feature:
        feature.ClearField("drift_comparator")
        comparator = feature.skew_comparator
        if comparator.ListFields():
            continue
        if feature.type == schema_pb2.BYTES or feature.int_domain.is_categorical:
            comparator.infinity_norm.threshold = threshold
        else:
            # Over buckets of equal width, one odd value far out would hide all the others.
            comparator.jensen_shannon_divergence.threshold = threshold
            comparator.jensen_shannon_divergence.source.type = quantiles
    return compared


def _skew(
    train: statistics_pb2.DatasetFeatureStatisticsList,
    requests: statistics_pb2.DatasetFeatureStatisticsList,
    schema: schema_pb2.Schema,
) -> list[Drift]:
    found = tfdv.validate_statistics(train, schema, serving_statistics=requests)
    return list(
        drift.measured(
            found,
            split=SPLIT,
            current=requests.datasets[0],
            train=train.datasets[0],
            of="skew_measurements",
        )
    )


def with_noise(measured: Sequence[Drift], held_out: Sequence[Drift]) -> list[Drift]:
    """Return measurements whose `chance` knows how far the run's own held-out splits are."""
    noise: dict[tuple[str, str], float] = {}
    for each in held_out:
        key = (each.column, each.measure)
        noise[key] = max(noise.get(key, 0.0), _NOISE_MARGIN * each.value)
    return [
        each.model_copy(
            update={"chance": min(1.0, each.chance + noise.get((each.column, each.measure), 0.0))}
        )
        for each in measured
    ]


def _missing(
    train: statistics_pb2.DatasetFeatureStatisticsList,
    requests: statistics_pb2.DatasetFeatureStatisticsList,
    columns: Sequence[str],
    threshold: float,
) -> list[Drift]:
    then, now = missing_shares(train.datasets[0]), missing_shares(requests.datasets[0])
    rows, other_rows = train.datasets[0].num_examples, requests.datasets[0].num_examples
    return [
        Drift(
            column=name,
            split=SPLIT,
            measure=MISSING,
            value=abs(now.get(name, 1.0) - then.get(name, 1.0)),
            threshold=threshold,
            chance=drift.chance_of_l_infinity(rows, other_rows) if rows and other_rows else 0.0,
        )
        for name in columns
    ]


def _anomalies(
    requests: statistics_pb2.DatasetFeatureStatisticsList,
    schema: schema_pb2.Schema,
    reader: AnomalyReader,
) -> tuple[Finding, ...]:
    found = tfdv.validate_statistics(requests, schema, environment=SERVING)
    return tuple(reader.read(found, split=SPLIT, environment=SERVING))


def _told(
    read: Read,
    train: statistics_pb2.DatasetFeatureStatisticsList,
    requests: statistics_pb2.DatasetFeatureStatisticsList,
    measured: Sequence[Drift],
    anomalies: tuple[Finding, ...],
    threshold: float,
) -> Skew:
    then, now = train.datasets[0], requests.datasets[0]
    missing_then, missing_now = missing_shares(then), missing_shares(now)
    new = new_values(then, now)
    columns = [
        Moved(
            column=each.column,
            measure=each.measure,
            value=each.value,
            threshold=each.threshold,
            chance=each.chance,
            moved=each.value > each.threshold and each.value > each.chance,
            missing_training=missing_then.get(each.column, 1.0),
            missing_requests=missing_now.get(each.column, 1.0),
            new_values=new.get(each.column, ()),
        )
        for each in measured
    ]
    columns.sort(key=lambda c: (not c.moved, -c.value, c.column, c.measure))
    return Skew(
        rows=read.rows,
        training_rows=then.num_examples,
        signatures=read.signatures,
        cut=read.cut,
        damaged=read.damaged,
        unreadable=read.unreadable,
        unreadable_rows=read.unreadable_rows,
        ignored=read.ignored,
        passed_over=read.passed_over,
        notes=tuple(_notes(read, columns, then.num_examples, threshold)),
        columns=tuple(columns),
        anomalies=anomalies,
    )


def _notes(read: Read, columns: Sequence[Moved], training_rows: int, threshold: float) -> list[str]:
    """Return what a reader of the table has to know."""
    found = []
    by_luck = drift.chance_of_l_infinity(read.rows, training_rows) if training_rows else 1.0
    if by_luck > threshold:
        found.append(
            f"too few rows: among {read.rows:,}, shares differ by up to {by_luck:.2g} by chance"
            " alone; only larger differences count as moved"
        )
    hidden = sorted({c.column for c in columns if c.value > c.threshold and not c.moved})
    if hidden:
        found.append(f"beyond the threshold, but chance explains it: {', '.join(hidden)}")
    found += request_logs.unread(read)
    if read.passed_over:
        found.append(f"{read.passed_over:,} records hold no row of the model's columns")
    if read.ignored:
        listed = ", ".join(sorted(read.ignored))
        found.append(f"inputs that are not columns of the model: {listed}")
    return found


def missing_shares(dataset: statistics_pb2.DatasetFeatureStatistics) -> dict[str, float]:
    """Return, by column, the share of rows without a value."""
    shares = {}
    for feature in dataset.features:
        kind = feature.WhichOneof("stats")
        present = getattr(feature, kind).common_stats.num_non_missing if kind else 0
        rows = dataset.num_examples
        shares[feature.path.step[0]] = 1 - present / rows if rows else 0.0
    return shares


def new_values(
    train: statistics_pb2.DatasetFeatureStatistics,
    requests: statistics_pb2.DatasetFeatureStatistics,
) -> dict[str, tuple[NewValue, ...]]:
    """Return, by column, the most frequent values that no training example has.

    Columns of which the training statistics do not list every value are left out.
    """
    known = {feature.path.step[0]: _counts(feature) for feature in train.features}
    found = {}
    for feature in requests.features:
        name, counts = feature.path.step[0], _counts(feature)
        before = known.get(name)
        if not counts or before is None or not before:
            continue
        total = feature.string_stats.common_stats.num_non_missing
        new = sorted((-n, value) for value, n in counts.items() if value not in before)
        if new:
            found[name] = tuple(NewValue(value=v, share=-n / total) for n, v in new[:_NEW_VALUES])
    return found


def _counts(feature: statistics_pb2.FeatureNameStatistics) -> dict[str, float]:
    """Return how often each value occurs; nothing where not every value is listed."""
    if feature.WhichOneof("stats") != "string_stats":
        return {}
    buckets = feature.string_stats.rank_histogram.buckets
    if len(buckets) < feature.string_stats.unique:
        return {}
    return {bucket.label: bucket.sample_count for bucket in buckets}
