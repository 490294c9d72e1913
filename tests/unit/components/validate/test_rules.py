"""Rules are checked exactly: how many rows fail, and what the figures of each split are."""

import pyarrow as pa
import pytest

from components.examples import ShardWriter, split_folder
from components.validate import rules
from components.validate.findings import rule_findings
from components.validate.measured import Measured, of_rows
from schemas.columns import Column
from schemas.splits.options import SPLITS
from schemas.validation import Rule

COLUMNS = (
    Column("fare", "FLOAT", serving=True),
    Column("miles", "INT", serving=True),
    Column("company", "BYTES", serving=True),
)
ROWS = pa.table(
    {
        "fare": pa.array([1.5, -2.0, None, 8.0, -1.0], pa.float32()),
        "miles": pa.array([1, 2, 3, None, 2**53], pa.int64()),
        "company": ["a", "b", None, "a", "c"],
    }
)


@pytest.fixture
def examples(tmp_path):
    """Examples in row groups of two rows; eval has one row, and test none."""
    root = str(tmp_path)
    for split, rows in zip(SPLITS, (ROWS, ROWS.slice(0, 1), ROWS.slice(0, 0)), strict=True):
        path = f"{split_folder(root, split)}/data-00000-of-00001.parquet"
        with ShardWriter(path, ROWS.schema, batch_rows=2) as writer:
            writer.write(rows)
    return root


def check(examples, expression, previous=None, **options):
    measured = {"train": of_rows(ROWS), "eval": of_rows(ROWS.slice(0, 1)), "test": {}}
    rule = Rule(expression=expression, **options)
    before = None if previous is None else dict.fromkeys(SPLITS, previous)
    return rules.check({"it": rule}, COLUMNS, examples=examples, measured=measured, previous=before)


def test_rows_that_fail_are_counted_and_shown(examples):
    train, held = check(examples, "fare > 0 and company <> 'x'")
    assert (train.split, train.holds, train.value) == ("train", False, 0.4)
    assert train.measured == "2 of 5 rows fail (40 %)"
    assert train.threshold == "no row fails"
    assert train.samples == ("fare -2.0, company 'b'", "fare -1.0, company 'c'")
    assert (held.split, held.holds, held.value, held.samples) == ("eval", True, 0, ())


def test_a_condition_that_is_null_does_not_fail(examples):
    (train,) = check(examples, "fare < 100", splits=["train"])
    assert (train.holds, train.value) == (True, 0)


@pytest.mark.parametrize(("share", "holds"), [(0.4, True), (0.39, False)])
def test_a_share_of_rows_may_fail(examples, share, holds):
    (train,) = check(examples, "fare > 0", share=share, splits=["train"])
    assert train.holds is holds


def test_a_few_of_many_rows_are_shown(examples):
    (train,) = check(examples, "miles > 2 or fare is null or company is null", splits=["train"])
    assert train.samples == ("miles 1, fare 1.5, company 'a'", "miles 2, fare -2.0, company 'b'")


@pytest.mark.parametrize(
    ("expression", "holds", "measured"),
    [
        ("count(*) = 5", True, "count(*) = 5"),
        ("count(fare) = 4", True, "count(fare) = 4"),
        ("missing(fare) = 0.2", True, "missing(fare) = 0.2"),
        ("mean(fare) = 1.625", True, "mean(fare) = 1.625"),
        ("max(fare) > 8", False, "max(fare) = 8"),
        ("max(miles) = 9007199254740992", True, "max(miles) = 9,007,199,254,740,992"),
        ("stddev(fare) between 3.89 and 3.9", True, "stddev(fare) = 3.89511"),
        ("distinct(company) = 3 and distinct(fare) = 4", True, None),
        ("quantile(fare, 0.5) = 0.25", True, "quantile(fare, 0.5) = 0.25"),
    ],
)
def test_figures_are_those_of_the_split(examples, expression, holds, measured):
    (train,) = check(examples, expression, splits=["train"])
    assert train.holds is holds
    assert measured in (train.measured, None)
    assert train.threshold == expression


@pytest.mark.parametrize(
    ("expression", "previous", "holds", "measured"),
    [
        ("count(*) > 0.8 * previous", Measured(6, 6), True, "count(*) = 5, previous = 6"),
        ("count(*) > 0.8 * previous", Measured(7, 7), False, "count(*) = 5, previous = 7"),
        ("mean(fare) < previous", Measured(7, 7, mean=1.5), False, None),
        ("mean(fare) < previous", Measured(7, 0), True, "mean(fare) = 1.625, previous = not known"),
    ],
)
def test_a_figure_is_compared_with_the_previous_one(
    examples, expression, previous, holds, measured
):
    (train,) = check(examples, expression, {"fare": previous}, splits=["train"])
    assert train.holds is holds
    assert measured in (train.measured, None)


def test_without_earlier_data_a_comparison_holds(examples):
    (train,) = check(examples, "count(*) > 0.8 * previous", splits=["train"])
    assert (train.holds, train.measured) == (True, "count(*) = 5, previous = not known")


def test_a_column_without_values_has_no_mean(tmp_path):
    rows = pa.table({"fare": pa.array([None], pa.float32())})
    with ShardWriter(
        f"{split_folder(str(tmp_path), 'train')}/data-00000-of-00001.parquet",
        rows.schema,
        batch_rows=2,
    ) as writer:
        writer.write(rows)
    rule = Rule(expression="mean(fare) > 1 and missing(fare) = 1", splits=["train"])
    (train,) = rules.check(
        {"it": rule}, COLUMNS, examples=str(tmp_path), measured={"train": of_rows(rows)}
    )
    assert (train.holds, train.measured) == (True, "mean(fare) = not known, missing(fare) = 1")


def test_a_broken_rule_is_a_finding(examples):
    results = check(examples, "fare > 0", severity="warning")
    (found,) = rule_findings(results)
    assert (found.column, found.split, found.severity) == ("rule it", "train", "warning")
    assert (found.what, found.expected) == ("fare > 0", "no row fails")
    assert found.seen == "2 of 5 rows fail (40 %); such as fare -2.0; fare -1.0"
