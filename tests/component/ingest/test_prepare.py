"""`prepare:` keeps, drops and repeats rows, and the counts say how many and why."""

from __future__ import annotations

import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from components.examples import iter_batches
from components.ingest.counts import Counts
from components.ingest.ingest import ingest
from schemas import sources
from schemas.columns import Column
from schemas.errors import DataError
from schemas.examples import Examples
from schemas.prepare import Prepare
from schemas.splits.hash import Hash
from schemas.splits.options import SPLITS
from schemas.tasks.binary import Binary
from tests.naive_fold import kept_by_a_naive_fold

pytestmark = pytest.mark.component

COLUMNS = (
    Column("id", "INT", True),
    Column("age", "FLOAT", True),
    Column("who", "BYTES", True),
    Column("y", "BYTES", False),
)
LABEL = Binary.model_validate({"name": "y", "equals": {"column": "y", "values": ["yes"]}})
SPLIT = Hash(key=("id",))


def table(rows):
    names = [column.name for column in COLUMNS]
    types = {"id": pa.int64(), "age": pa.float32(), "who": pa.string(), "y": pa.string()}
    return pa.table({name: pa.array([r[name] for r in rows], types[name]) for name in names})


def people(count):
    """Return rows of which one in ten is of class 1."""
    return [
        {"id": i, "age": float(i % 80), "who": f"w{i}", "y": "yes" if i % 10 == 0 else "no"}
        for i in range(count)
    ]


@pytest.fixture
def run(tmp_path):
    """Run ingest on tables; return the output folder and the counts."""
    made: list[str] = []

    def _run(*tables, options=None, settings=None, label=LABEL, **prepare):
        folder = tmp_path / f"run-{len(made)}"
        folder.mkdir()
        paths = [str(folder / f"{i:02d}.parquet") for i in range(len(tables))]
        for path, rows in zip(paths, tables, strict=True):
            pq.write_table(rows, path, row_group_size=97)
        made.append(str(folder / "examples"))
        counts = ingest(
            source=sources.loads(json.dumps({"format": "parquet", "path": "*.parquet"})),
            paths=paths,
            columns=COLUMNS,
            splits=SPLIT,
            label=label,
            settings=settings or Examples(),
            output=made[-1],
            prepare=Prepare.model_validate(prepare),
            options=options,
        )
        return made[-1], counts

    return _run


def rows_of(root, split):
    return [row for batch in iter_batches(root, split) for row in batch.to_pylist()]


def everything(root):
    return sorted((r for s in SPLITS for r in rows_of(root, s)), key=lambda row: row["id"])


def dropped(root):
    folder = os.path.join(root, "dropped")
    return [
        row
        for name in sorted(os.listdir(folder))
        for row in pq.read_table(os.path.join(folder, name)).to_pylist()
    ]


def test_conditions_and_required_columns_drop_rows_by_the_first_rule(run):
    rows = people(300)
    rows[7]["age"] = rows[8]["who"] = None
    root, counts = run(
        table(rows),
        where={"adult": "age >= 18", "even": "id % 2 = 0"},
        required=["who"],
        keep_dropped=True,
    )
    kept = [r for r in rows if (r["age"] or 0) >= 18 and r["id"] % 2 == 0 and r["who"]]
    assert [row["id"] for row in everything(root)] == [row["id"] for row in kept]
    young = sum((r["age"] or 0) < 18 for r in rows)
    assert counts.dropped_by_rule["prepare.where.adult"] == young  # null is not true
    assert counts.records_dropped == 300 - len(kept)
    assert Counts.read(root) == counts
    found = dropped(root)
    assert len(found) == counts.records_dropped
    first = next(row for row in found if row["row"]["id"] == 7)
    assert (first["rule"], first["line"]) == ("prepare.where.adult", 8)
    assert first["source"].endswith("00.parquet")
    assert first["row"] == rows[7]


def test_a_rule_that_drops_all_rows_is_named(run):
    with pytest.raises(DataError) as caught:
        run(table(people(50)), where="age > 100")
    assert "50 dropped by prepare.where" in str(caught.value)
    assert "change prepare.where" in str(caught.value.remedy)


def test_duplicates_are_dropped_across_files(run):
    rows = people(200)
    again = [{**row, "age": row["age"] + 1000} for row in rows[:150]]
    root, counts = run(table(rows), table(again), drop_duplicates={"key": ["id", "who"]})
    assert everything(root) == rows
    assert counts.dropped_by_rule == {"prepare.drop_duplicates": 150}
    root, _ = run(
        table(rows), table(again), drop_duplicates={"key": ["id"], "keep": {"last": "age"}}
    )
    assert everything(root) == again + rows[150:]


def test_where_comes_before_duplicates(run):
    rows = [{"id": i // 2, "age": float(i % 2), "who": "w", "y": "no"} for i in range(100)]
    rows[3]["y"] = "yes"
    root, counts = run(table(rows), where="age = 1", drop_duplicates={"key": ["id"]})
    assert [row["age"] for row in everything(root)] == [1.0] * 50
    assert counts.dropped_by_rule == {"prepare.where": 50}


@pytest.mark.parametrize("keep", ["first", {"last": "age"}, {"first": "age"}])
def test_duplicates_in_several_buckets_are_those_of_a_naive_fold(run, keep):
    draw = np.random.default_rng(7)
    values = {"id": [0, 1, 2, 3, None], "age": [-0.0, 0.0, 1.5, None], "who": ["a", "b", None]}
    parts = [
        [
            {n: draw.choice(np.array(v, object)) for n, v in values.items()} | {"y": "no"}
            for _ in range(60)
        ]
        for _ in range(3)
    ]
    parts.append([{"id": 100 + i, "age": 9.0, "who": f"{i}", "y": "yes"} for i in range(40)])
    root, _ = run(
        *map(table, parts),
        settings=Examples(shard_rows=16),
        drop_duplicates={"key": ["id", "who"], "keep": keep},
    )
    found = [row for split in SPLITS for row in rows_of(root, split)]
    assert as_texts(found) == as_texts(kept_by_a_naive_fold(parts, ["id", "who"], keep))


def as_texts(rows):
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def test_any_number_of_workers_keeps_the_same_duplicates(run):
    parts = [table([{**r, "age": float(i)} for r in people(150)]) for i in range(4)]
    rule = {"drop_duplicates": {"key": ["id"], "keep": {"last": "age"}}}
    contents = []
    for workers in (1, 3):
        options = PipelineOptions(
            [f"--direct_num_workers={workers}", "--direct_running_mode=multi_threading"]
        )
        root, _ = run(*parts, options=options, **rule)
        contents.append([rows_of(root, split) for split in SPLITS])
    assert contents[0] == contents[1]


def test_outliers_are_dropped_from_training_alone(run):
    rows = people(2_000)
    for row in rows[::50]:
        row["age"] = 5_000.0
    rows[1]["age"] = None
    root, counts = run(table(rows), outliers={"age": {"iqr": 3}}, keep_dropped=True)
    assert max(r["age"] or 0 for r in rows_of(root, "train")) < 100
    assert max(r["age"] or 0 for r in rows_of(root, "test")) == 5_000
    assert sum(r["age"] is None for r in everything(root)) == 1
    found = dropped(root)
    assert counts.dropped_by_rule == {"prepare.outliers.age": len(found)}
    assert {row["row"]["age"] for row in found} == {5_000.0}
    assert {row["source"] for row in found} == {None}


@pytest.mark.parametrize("rule", [{"quantiles": [0.1, 0.9]}, {"z": 1}])
def test_limits_are_of_the_training_rows(run, rule):
    rows = people(1_000)
    plain, _ = run(table(rows))
    ages = np.array([row["age"] for row in rows_of(plain, "train")])
    root, _ = run(table(rows), outliers={"age": rule})
    if "z" in rule:
        low, high = ages.mean() - ages.std(), ages.mean() + ages.std()
    else:
        low, high = np.quantile(ages, rule["quantiles"], method="inverted_cdf")
    expected = sorted(ages[(ages >= low) & (ages <= high)].tolist())
    assert sorted(row["age"] for row in rows_of(root, "train")) == expected


def test_a_fraction_of_training_rows_is_the_same_each_time(run):
    rows = table(people(2_000))
    plain, before = run(rows)
    root, counts = run(rows, sample={"fraction": 0.25})
    again, _ = run(rows.take(pa.array(np.arange(2_000)[::-1])), sample={"fraction": 0.25})
    assert counts.examples["train"] / before.examples["train"] == pytest.approx(0.25, abs=0.05)
    assert [counts.examples[s] for s in SPLITS[1:]] == [before.examples[s] for s in SPLITS[1:]]
    assert counts.sampled == {}
    ids = [{row["id"] for row in rows_of(where, "train")} for where in (root, again)]
    assert ids[0] == ids[1]
    assert ids[0] < {row["id"] for row in rows_of(plain, "train")}


def test_rates_keep_the_other_classes_whole(run):
    rows = table(people(2_000))
    _, before = run(rows)
    root, counts = run(rows, sample={"rates": {"0": 0.1}})
    labels = [row["y"] for row in rows_of(root, "train")]
    assert counts.sampled["1"] == (labels.count("yes"), labels.count("yes"))
    all_others, others = counts.sampled["0"]
    assert all_others + labels.count("yes") == before.examples["train"]
    assert others == labels.count("no")
    assert others / all_others == pytest.approx(0.1, abs=0.03)
    assert counts.dropped_by_rule == {"prepare.sample": all_others - others}


def test_a_share_repeats_rows_and_the_counts_add_up(run):
    root, counts = run(table(people(2_000)), sample={"share": {"1": 0.3}})
    labels = [row["y"] for row in rows_of(root, "train")]
    assert labels.count("yes") / len(labels) == pytest.approx(0.3, abs=0.02)
    assert counts.repeated == sum(counts.examples.values()) - 2_000
    assert counts.records_dropped == 0
    counts.check()


def test_a_class_that_no_row_has_is_named(run):
    label = Binary.model_validate({"column": "y"})
    with pytest.raises(DataError, match="did you mean 'no'"):
        run(table(people(200)), sample={"rates": {"nope": 0.1}}, label=label)
