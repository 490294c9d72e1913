"""Splits that the table brings with it: their keys are apart, their times in order; and folds."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.examples import iter_batches, shards
from components.ingest import split_checks
from components.ingest.counts import Counts
from components.ingest.ingest import ingest
from schemas import sources, splits, tasks
from schemas.columns import Column
from schemas.errors import DataError
from schemas.examples import Examples
from schemas.splits.options import FOLD, SPLITS

pytestmark = pytest.mark.component

COLUMNS = (
    Column("id", "INT", True),
    Column("customer", "BYTES", True),
    Column("at", "TIME_TEXT", True, ("%Y-%m-%d",)),
    Column("part", "BYTES", False),
    Column("y", "FLOAT", False),
)
GIVEN = {"by": "column", "column": "part"}


def rows(count=60):
    """Return rows of 20 days, 30 customers of two rows each; the last days are eval and test."""
    parts = ["train"] * 10 + ["eval"] * 5 + ["test"] * 5
    return [
        {
            "id": i,
            "customer": f"c{i % 20}-{i // 40}",
            "at": f"2024-01-{1 + i % 20:02}",
            "part": parts[i % 20],
            "y": i % 20,
        }
        for i in range(count)
    ]


@pytest.fixture
def run(tmp_path):
    """Ingest a table split so; return the folder of examples and the counts."""
    made: list[str] = []

    def _run(table, split, **settings):
        half = len(table) // 2
        for name, some in (("train.jsonl", table[:half]), ("test.jsonl", table[half:])):
            text = "\n".join(json.dumps(row) for row in some)
            (tmp_path / name).write_text(text)
        made.append(str(tmp_path / f"examples-{len(made)}"))
        counts = ingest(
            source=sources.loads('{"path": "*.jsonl", "format": "jsonl"}'),
            paths=[str(tmp_path / name) for name in ("train.jsonl", "test.jsonl")],
            columns=COLUMNS,
            splits=splits.loads(json.dumps(split)),
            label=tasks.loads('{"task": "regression", "column": "y"}'),
            settings=Examples(**settings),
            output=made[-1],
        )
        return made[-1], counts

    return _run


def test_counts_say_what_is_in_each_split(run):
    root, counts = run(rows(), {**GIVEN, "time": "at", "key": ["customer"]})
    assert counts == Counts.read(root)
    with open(f"{root}/counts.json") as file:
        found = json.load(file)["splits"]
    assert found == {
        "train": {
            "rows": 30,
            "label": {"mean": 4.5},
            "time": ["2024-01-01T00:00:00Z", "2024-01-10T00:00:00Z"],
        },
        "eval": {
            "rows": 15,
            "label": {"mean": 12.0},
            "time": ["2024-01-11T00:00:00Z", "2024-01-15T00:00:00Z"],
        },
        "test": {
            "rows": 15,
            "label": {"mean": 17.0},
            "time": ["2024-01-16T00:00:00Z", "2024-01-20T00:00:00Z"],
        },
    }


def test_a_key_in_two_splits_ends_the_run_and_names_a_row_of_each(run, tmp_path, monkeypatch):
    table = rows()
    table[3]["customer"] = table[45]["customer"] = table[58]["customer"] = "Ann"
    table[7]["customer"] = table[52]["customer"] = "Bob"
    for at_once in (split_checks._KEYS_AT_ONCE, 7):
        monkeypatch.setattr(split_checks, "_KEYS_AT_ONCE", at_once)
        with pytest.raises(DataError, match="2 keys are in two splits") as caught:
            run(table, {**GIVEN, "key": ["customer"]})
        train, test = (tmp_path / name for name in ("train.jsonl", "test.jsonl"))
        assert f"customer = 'Ann' is train ({train}:4) and test ({test}:29)" in caught.value.what
        assert f"customer = 'Bob' is train ({train}:8) and eval ({test}:23)" in caught.value.what
        assert "splits.shared_keys: allow" in str(caught.value)
    run(table, {**GIVEN, "key": ["customer"], "shared_keys": "allow"})


def test_a_row_without_a_key_is_like_no_other(run):
    table = [{**row, "customer": None} for row in rows()]
    run(table, {**GIVEN, "key": ["customer"]})
    table[50]["y"] = 0
    with pytest.raises(DataError, match=r"customer = None, y = 0\.0 is train"):
        run(table, {**GIVEN, "key": ["customer", "y"]})


def test_keys_of_files_and_of_a_split_by_time_are_apart(run):
    table = rows()
    for i, row in enumerate(table):
        row["customer"] = f"c{i % 30}"
    by_file = {"by": "file", "test": "test*", "key": ["customer"], "eval_share": 0.3}
    with pytest.raises(DataError, match=r"30 keys are in two splits: .*; …"):
        run(table, by_file)
    with pytest.raises(DataError, match="in two splits"):
        run(table, {"by": "time", "column": "at", "key": ["customer"]})
    run(table, {"by": "time", "column": "at"})


def test_two_keys_of_one_hash_are_not_one_key(run, monkeypatch):
    def coarse(columns):
        return np.array([len(str(v)) for v in next(iter(columns)).to_pylist()], np.uint64)

    monkeypatch.setattr(split_checks, "hash_rows", coarse)
    run(rows(), {**GIVEN, "key": ["id"]})


def test_splits_out_of_order_end_the_run_and_name_the_rows(run, tmp_path):
    table = rows()
    table[24]["at"], table[48]["at"] = "2024-01-12", "2024-01-12"  # train, the first is named
    with pytest.raises(DataError) as caught:
        run(table, {**GIVEN, "time": "at"})
    assert caught.value.what == (
        f"train ends at 2024-01-12T00:00:00Z ({tmp_path}/train.jsonl:25), and eval begins at"
        f" 2024-01-11T00:00:00Z ({tmp_path}/train.jsonl:11), by 'at'"
    )
    run(table, GIVEN)


def test_one_time_in_two_splits_is_out_of_order(run):
    table = rows()
    table[35]["at"] = "2024-01-15"
    with pytest.raises(DataError, match=r"eval ends at 2024-01-15.*and test begins at 2024-01-15"):
        run(table, {**GIVEN, "time": "at"})


def test_a_row_without_a_time_is_rejected(run):
    table = rows()
    table[0]["at"] = None
    _, counts = run(table, {**GIVEN, "time": "at"})
    assert counts.rejected_by_reason == {"missing_split": 1}


def test_a_split_without_rows_ends_the_run(run):
    split = {"by": "time", "column": "at", "eval_from": "2024-01-05", "test_from": "2025-01-01"}
    with pytest.raises(DataError, match="no test example is left of 60 records") as caught:
        run(rows(), split)
    assert "12 train from 2024-01-01T00:00:00Z to 2024-01-04T00:00:00Z" in caught.value.what
    assert "splits.eval_from and test_from" in str(caught.value)


FOLDED = [
    {"by": "stratified", "strata": ["part"], "key": ["id"]},
    {"by": "time", "column": "at"},
    {**GIVEN, "key": ["customer"]},
]


@pytest.mark.parametrize("split", FOLDED, ids=lambda split: split["by"])
def test_folds_are_a_column_of_train_alone_and_change_nothing_else(run, split):
    plain, _ = run(rows(), split, batch_rows=8)
    folded, counts = run(rows(), {**split, "folds": 3}, batch_rows=8)
    for name in SPLITS:
        before, after = (pa.Table.from_batches(iter_batches(r, name)) for r in (plain, folded))
        if name == "train":
            folds = after.column(FOLD)
            assert tuple(np.bincount(folds.to_numpy(), minlength=3)) == counts.splits[name].folds
            assert sum(counts.splits[name].folds) == before.num_rows
            after = after.drop([FOLD])
        assert after == before
    sizes = [pq.read_metadata(path).num_row_groups for path in shards(folded, "train")]
    assert sizes == [pq.read_metadata(path).num_row_groups for path in shards(plain, "train")]


def test_a_fold_without_rows_ends_the_run(run):
    with pytest.raises(DataError, match=r"no training example of fold \d+ of 40 is left"):
        run(rows(), {"by": "group", "key": ["customer"], "folds": 40})
