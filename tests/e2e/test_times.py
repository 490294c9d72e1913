"""Booleans and times of a table as text, and as Parquet: a pushed and proven model."""

import random
from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import skewless
from components.score.batch import predict
from components.score.output import ScoreOutput
from tests.e2e.test_tasks import pushed

pytestmark = [pytest.mark.e2e, pytest.mark.long]

SCHEMA = """
feature { name: "id" type: INT presence { min_fraction: 1 } not_in_environment: "SERVING" }
feature { name: "ordered_at" type: BYTES time_domain { string_format: "%Y-%m-%d %H:%M:%S" } }
feature { name: "signed_up" type: BYTES time_domain { string_format: "%m/%d/%Y" } }
feature { name: "stamp" type: INT time_domain { integer_format: UNIX_SECONDS } }
feature { name: "member" type: BYTES bool_domain { true_value: "yes" false_value: "no" } }
feature { name: "night" type: INT bool_domain {} }
feature { name: "bought" type: BYTES bool_domain { true_value: "yes" false_value: "no" }
          presence { min_fraction: 1 } not_in_environment: "SERVING" }
default_environment: "TRAINING"
default_environment: "SERVING"
"""
PIPELINE = """
name: visits
source: {path: rows.csv}
splits: {key: [id]}
label: {column: bought}
features:
  ordered_at: [date_parts: {parts: [month, weekday, hour, week]}, z_score]
  signed_up: [date_parts, quantile_buckets, elapsed: {since_column: ordered_at}]
  stamp: [z_score, cyclic: {zone: Europe/Berlin}, date_parts: {parts: [minute, quarter]}]
  member: vocabulary
  night: [vocabulary, z_score]
crosses: [{columns: [member, night], buckets: 16}]
validation: {max_rejected_fraction: 0.1}
evaluation: {slices: [member, night], thresholds: {beats_baseline: false}}
export: {warnings: true}
model: {max_epochs: 8, batch_size: 64, deep: {learning_rate: 0.01}}
"""
COLUMNS = ("ordered_at", "signed_up", "stamp", "member", "night")


def table(rows):
    """Typed columns with about every twentieth value missing, and the answer by weekday."""
    rng = random.Random(7)
    start = datetime(2024, 1, 1, tzinfo=timezone.utc)
    columns: dict[str, list[object]] = {name: [] for name in (*COLUMNS, "bought")}
    for _ in range(rows):
        at = start + timedelta(minutes=rng.randrange(525_600))
        day = (at - timedelta(days=rng.randrange(900))).date()
        member, night = rng.random() < 0.5, rng.random() < 0.3
        values = (at, day, at + timedelta(hours=5), member, night)
        for name, value in zip(COLUMNS, values, strict=True):
            columns[name].append(None if rng.random() < 0.05 else value)
        columns["bought"].append((at.isoweekday() > 5) ^ (rng.random() < 0.1))
    types = {"ordered_at": pa.timestamp("us", "UTC"), "stamp": pa.timestamp("ms", "UTC")}
    return pa.table({name: pa.array(v, types.get(name)) for name, v in columns.items()})


def as_text(typed):
    """The same table as its schema writes it in CSV."""

    def written(name, value):
        if value is None:
            return ""
        if name == "ordered_at":
            return f"{value:%Y-%m-%d %H:%M:%S}"
        if name == "signed_up":
            return f"{value.month}/{value.day}/{value.year}"
        if name == "stamp":
            return str(int(value.timestamp()))
        return ("True" if value else "0") if name == "night" else ("yes" if value else "no")

    texts = {
        name: [written(name, value) for value in typed.column(name).to_pylist()]
        for name in typed.column_names
    }
    return pa.table({"id": [str(n) for n in range(typed.num_rows)], **texts})


def test_times_and_booleans_as_text_and_as_parquet(tmp_path):
    typed, folder = table(600), tmp_path / "visits"
    folder.mkdir()
    pa.csv.write_csv(as_text(typed), folder / "rows.csv")
    with (folder / "rows.csv").open("a") as file:
        file.write("600,2023-02-29 00:00:00,1/1/2024,0,yes,1,yes\n601,,,0.5,yes,1,yes\n")
        file.write("602,,,0,Yes,1,yes\n603,,,0,yes,2,yes\n")
    (folder / "schema.pbtxt").write_text(SCHEMA)
    (folder / "pipeline.yaml").write_text(PIPELINE)
    content = pushed(folder, tmp_path / "runs")

    assert content["counts"]["rejected_by_reason"] == {"not_a_boolean": 2, "not_a_time": 2}
    assert content["evaluation"]["overall"]["auc"] > 0.8
    model = skewless.load(tmp_path / "runs/visits")
    scores = model.predict(typed).column("score").to_pylist()
    pq.write_table(typed, folder / "rows.parquet")
    for name in ("rows.csv", "rows.parquet"):
        output = ScoreOutput.of(str(tmp_path / f"{name}.scores.parquet"), None, overwrite=False)
        scored = predict(model=model.saved_model, paths=[str(folder / name)], output=output)
        read = pq.read_table(output.path).column("score").to_pylist()
        assert read == pytest.approx(scores, abs=1e-6)
        assert scored.rows_rejected == (4 if name == "rows.csv" else 0)
