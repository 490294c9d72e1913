"""Tallies add up in any order, and explain why a split has no rows."""

import itertools

import pytest

from components.ingest.counts import Counts
from components.ingest.split_facts import Measure, ShardFacts
from components.ingest.tally import IngestTally
from components.sources.rejects import Reject, RejectReason
from schemas.errors import DataError
from schemas.tasks.binary import Binary
from schemas.tasks.regression import Regression


def reject(line, reason=RejectReason.NOT_AN_INTEGER, column="n", value="x"):
    return Reject("data.csv", line, column, value, reason, b"x,1")


PARTS = [
    IngestTally(records_read=5),
    IngestTally.of_rejects([reject(7), reject(9), reject(11)], file=1),
    IngestTally.of_rejects([reject(8, RejectReason.WRONG_FIELD_COUNT, None, "1 fields")], file=0),
    IngestTally.of_rejects([reject(20)], file=0),
    IngestTally(examples={"train": 2}),
    IngestTally(examples={"train": 1, "test": 3}, reject_files=((1, "b"),)),
    IngestTally(reject_files=((0, "a"),)),
]


def test_the_sum_depends_on_neither_order_nor_grouping():
    whole = IngestTally.add(PARTS)
    for order in itertools.islice(itertools.permutations(PARTS), 0, 5000, 97):
        assert IngestTally.add([IngestTally.add(order[:3]), IngestTally.add(order[3:])]) == whole
    assert IngestTally.add([]) == IngestTally()
    assert whole.reject_files == ((0, "a"), (1, "b"))
    assert [s.line for s in whole.samples["not_an_integer"]] == [20, 7]


def test_counts_name_every_split_and_the_commonest_reason_first():
    assert IngestTally.add(PARTS).counts() == Counts(
        records_read=5,
        examples={"train": 3, "eval": 0, "test": 3},
        records_rejected=5,
        rejected_by_reason={"not_an_integer": 4, "wrong_field_count": 1},
    )
    assert list(IngestTally.add(PARTS).counts().rejected_by_reason) == [
        "not_an_integer",
        "wrong_field_count",
    ]


def test_a_tally_survives_json():
    whole = IngestTally.add(PARTS)
    assert IngestTally.model_validate_json(whole.model_dump_json()) == whole


def check_splits(tally):
    tally.check_splits(tally.counts(), where="*.csv", if_empty="name other columns")


def test_a_split_without_rows_is_reported_with_reasons_and_rows():
    tally = IngestTally.add([*PARTS[:4], IngestTally(examples={"eval": 1}, dropped={"gap": 2})])
    with pytest.raises(DataError) as caught:
        check_splits(tally)
    assert (
        "no training example is left of 5 records: 5 rejected, 2 dropped, 0 train, 1 eval, 0 test"
    ) in caught.value.what
    assert "4 not_an_integer: data.csv:20 n = 'x'; data.csv:7 n = 'x'" in caught.value.what
    assert "1 wrong_field_count: data.csv:8 1 fields" in caught.value.what
    assert caught.value.remedy == "correct the rejected records, or name other columns"


def test_a_split_without_rows_has_the_remedy_of_its_kind():
    with pytest.raises(DataError, match="no eval example is left") as caught:
        check_splits(IngestTally(records_read=3, examples={"train": 1, "test": 2}))
    assert caught.value.remedy == "name other columns"


def test_a_fold_without_rows_is_reported():
    measure = Measure(Regression(name="n", column="n"), None, 3)
    facts = ShardFacts(shard=0, split="train", rows=5, weight=5, total=1, folds=(3, 0, 2))
    tally = IngestTally(
        records_read=7, examples={"train": 5, "eval": 1, "test": 1}, shards=(facts,)
    )
    with pytest.raises(DataError, match="no training example of fold 1 of 3 is left"):
        tally.check_splits(tally.counts(measure), where="*.csv", if_empty="")


def test_rows_without_a_label_are_refused_where_they_stop_a_run():
    rows = [reject(line, RejectReason.MISSING_LABEL, "n", None) for line in (4, 6, 9)]
    tally = IngestTally.add([IngestTally.of_rejects(rows, file=0), *PARTS])
    label = {"name": "late", "exceeds": {"column": "n", "fraction": 1, "of": "m"}}
    tally.refuse_missing_labels(Binary.model_validate(label), "*.csv")
    stops = Binary.model_validate({**label, "missing": "stop"})
    with pytest.raises(DataError) as caught:
        tally.refuse_missing_labels(stops, "*.csv")
    assert caught.value.what == (
        "3 records have no label 'late': data.csv:4 n = ''; data.csv:6 n = ''; …"
    )
    assert caught.value.expected == (
        "a value of 'n' and of 'm' in every row, as label.missing is stop"
    )
    IngestTally.add(PARTS).refuse_missing_labels(stops, "*.csv")


def test_no_records_at_all():
    with pytest.raises(DataError, match="has no records") as caught:
        check_splits(IngestTally())
    assert caught.value.where == "*.csv"


def test_a_row_in_each_split_is_enough():
    check_splits(IngestTally(records_read=3, examples={"train": 1, "eval": 1, "test": 1}))
