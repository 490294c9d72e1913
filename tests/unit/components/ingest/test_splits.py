"""Each kind of split assigns a row by its own columns alone, the same in every run."""

import json

import numpy as np
import pyarrow as pa
import pytest

from components.ingest.splits import counted, stratified
from components.ingest.splits.counted import Counted
from components.ingest.splits.protocol import open_splitter
from components.ingest.splits.time import Seen
from schemas import splits
from schemas.errors import DataError
from schemas.splits.column import ColumnSplit
from schemas.splits.file import FileSplit
from schemas.splits.group import Group
from schemas.splits.hash import Hash
from schemas.splits.stratified import Stratified
from schemas.splits.time import Time

PATH = "rows.csv"


def batch(**columns):
    return pa.record_batch([pa.array(v) for v in columns.values()], list(columns))


def test_a_group_is_split_as_its_key_is_hashed():
    rows = batch(customer=[f"c{i % 40}" for i in range(200)])
    grouped = open_splitter(Group(key=("customer",))).assign(rows, PATH)
    assert (grouped == open_splitter(Hash(key=("customer",))).assign(rows, PATH)).all()
    assert all((grouped[i::40] == grouped[i]).all() for i in range(40))
    assert set(grouped) == {0, 1, 2}


def test_times_are_compared_with_the_borders():
    split = Time(column="n", eval_from="10", test_from="20")
    assigned = open_splitter(split).assign(batch(n=[-5, 9, 10, 19, 20, 99]), PATH)
    assert assigned.tolist() == [0, 0, 1, 1, 2, 2]


def test_rows_within_the_gap_before_a_border_are_dropped():
    split = Time(column="n", eval_from="10", test_from="20", gap="3")
    assigned = open_splitter(split).assign(batch(n=[6, 7, 9, 10, 16, 17, 19, 20]), PATH)
    assert assigned.tolist() == [0, -1, -1, 1, 1, -1, -1, 2]


def informed(times, **options):
    split = Time(column="n", **options)
    rows = batch(n=times)
    splitter = open_splitter(split)
    assert splitter.looks_at == ("n",)
    parts = [rows.slice(0, 7), rows.slice(7)]
    return splitter.informed(Seen.add(Seen.of(part, split) for part in parts))


def test_shares_decide_where_there_are_no_borders():
    times = np.random.default_rng(1).permutation(1000)
    assigned = informed(times).assign(batch(n=times), PATH)
    assert np.bincount(assigned).tolist() == [700, 150, 150]
    assert times[assigned == 0].max() < times[assigned == 1].min()
    assert times[assigned == 1].max() < times[assigned == 2].min()


def test_rows_of_one_time_share_a_split():
    times = np.repeat([1, 2, 3, 4], [10, 70, 10, 10])
    assigned = informed(times).assign(batch(n=times), PATH)
    assert np.bincount(assigned).tolist() == [80, 10, 10]


def test_too_few_times_cannot_be_split():
    with pytest.raises(DataError, match="'n' has 2 different times"):
        informed([1, 1, 2, 2, 2, 1, 1, 2, 2])


def test_what_was_seen_does_not_depend_on_order_or_grouping(monkeypatch):
    monkeypatch.setattr(counted, "MOST", 64)
    values = np.random.default_rng(2).integers(-(10**6), 10**6, 500)
    parts = [Counted.of(values[i : i + 50]) for i in range(0, 500, 50)]
    whole = Counted.of(values)
    assert whole.shift > 0
    assert sum(whole.rows) == 500
    assert Counted.add(parts) == whole
    assert Counted.add([Counted.add(parts[6:]), Counted.add(reversed(parts[:6]))]) == whole
    assert Counted.add([]) == Counted()


def test_shares_hold_in_each_stratum():
    rng = np.random.default_rng(3)
    fates = rng.choice(["kept", "returned", "lost"], 2000, p=[0.9, 0.09, 0.01]).tolist()
    rows = batch(fate=fates, gift=rng.integers(0, 2, 2000), id=list(range(2000)))
    split = Stratified(strata=["fate", "gift"], key=["id"])
    splitter = open_splitter(split)
    assert splitter.looks_at == ("fate", "gift", "id")
    parts = [rows.slice(0, 700), rows.slice(700)]
    seen = stratified.Seen.add(stratified.Seen.of(part, split) for part in parts)
    assigned = splitter.informed(seen).assign(rows, PATH)

    table = pa.Table.from_batches([rows]).append_column("split", pa.array(assigned))
    for group in table.group_by(["fate", "gift"]).aggregate([("split", "list")]).to_pylist():
        counts = np.bincount(group["split_list"], minlength=3)
        assert np.abs(counts - counts.sum() * np.array(split.shares)).max() <= 1


def test_a_stratum_of_one_row_is_train():
    split = Stratified(strata=["fate"], key=["id"])
    rows = batch(fate=["kept"] * 20 + ["lost"], id=list(range(21)))
    splitter = open_splitter(split).informed(stratified.Seen.of(rows, split))
    assert splitter.assign(rows, PATH)[-1] == 0


def test_too_many_strata_are_refused(monkeypatch):
    monkeypatch.setattr(stratified, "_MOST_STRATA", 5)
    split = Stratified(strata=["id"], key=["id"])
    seen = stratified.Seen.of(batch(id=list(range(9))), split)
    with pytest.raises(DataError, match="id have more than 5 different values"):
        open_splitter(split).informed(stratified.Seen.add([seen]))


def test_values_of_a_column_name_the_split():
    split = ColumnSplit(column="fold", train=["1", "2"], eval=["3"], test=["4"], ignore=["5"])
    assigned = open_splitter(split).assign(batch(fold=[4, 1, 3, 5, 2]), PATH)
    assert assigned.tolist() == [2, 0, 1, -1, 0]

    with pytest.raises(DataError, match="'fold' has the value '6', which is in no split"):
        open_splitter(split).assign(batch(fold=[1, 6]), PATH)


def test_names_of_files_are_matched_with_patterns():
    rows = batch(n=list(range(1000)))
    split = open_splitter(FileSplit(test="*.test", eval=["valid*"]))
    for path, expected in (("/data/adult.test", 2), ("gs://b/valid.csv", 1), ("test/a.data", 0)):
        assert set(split.assign(rows, path)) == {expected}


def test_eval_is_a_share_of_the_rows_of_train():
    rows = batch(n=list(range(1000)))
    split = open_splitter(FileSplit(test="*.test", key=["n"], eval_share=0.2))
    assigned = split.assign(rows, "adult.data")
    assert 150 < (assigned == 1).sum() < 250
    assert not (assigned == 2).any()
    assert set(split.assign(rows, "adult.test")) == {2}


def test_folds_do_not_depend_on_the_split_and_keep_keys_together():
    split = open_splitter(Group(key=("customer",), folds=5))
    rows = batch(customer=[f"c{i % 4000}" for i in range(8000)])
    folds = split.folds(rows)
    assert (folds[:4000] == folds[4000:]).all()
    assigned = split.assign(rows, PATH)
    for number in range(3):
        shares = np.bincount(folds[assigned == number], minlength=5) / (assigned == number).sum()
        assert shares == pytest.approx([0.2] * 5, abs=0.05)


def test_folds_leave_the_splits_as_they_are():
    rows = batch(n=list(range(300)))
    for options in ({"key": ["n"]}, {"by": "file", "test": "t", "key": ["n"]}):
        plain, folded = (splits.loads(json.dumps(options | more)) for more in ({}, {"folds": 3}))
        expected = open_splitter(plain).assign(rows, PATH)
        assert (open_splitter(folded).assign(rows, PATH) == expected).all()


def test_folds_of_a_time_split_are_blocks_in_the_order_of_time():
    times = np.random.default_rng(5).permutation(1000)
    splitter = informed(times, folds=5, gap="20")
    train = times[splitter.assign(batch(n=times), PATH) == 0]
    folds = splitter.folds(batch(n=train))
    assert np.bincount(folds).tolist() == [136] * 5
    assert (np.diff(folds[np.argsort(train)]) >= 0).all()


def test_folds_of_a_time_split_have_times_of_their_own():
    splitter = informed(np.repeat([1, 2, 3, 4, 5], [10, 50, 10, 10, 20]), folds=3)
    assert splitter.folds(batch(n=[1, 1, 2, 3])).tolist() == [0, 0, 1, 2]
    with pytest.raises(DataError, match="'n' has 3 different times in train") as caught:
        informed(np.repeat([1, 2, 3, 4, 5], 10), folds=4)
    assert caught.value.remedy == "lower splits.folds"


def test_borders_that_are_given_need_a_look_for_folds_alone():
    split = Time(column="n", eval_from="10", test_from="20", folds=2)
    splitter = open_splitter(split)
    assert splitter.looks_at == ("n",)
    known = splitter.informed(Seen.of(batch(n=list(range(30))), split))
    assert known.looks_at == ()
    assert known.folds(batch(n=list(range(10)))).tolist() == [0] * 5 + [1] * 5


def test_folds_hold_the_shares_of_each_stratum():
    rng = np.random.default_rng(3)
    fates = rng.choice(["kept", "returned", "lost"], 2000, p=[0.9, 0.09, 0.01]).tolist()
    rows = batch(fate=fates, id=list(range(2000)))
    split = Stratified(strata=["fate"], key=["id"], folds=4)
    splitter = open_splitter(split).informed(stratified.Seen.of(rows, split))
    train = rows.filter(pa.array(splitter.assign(rows, PATH) == 0))
    folds = splitter.folds(train)
    for fate in set(fates):
        counts = np.bincount(folds[np.array(train.column(0)) == fate], minlength=4)
        assert counts.max() - counts.min() <= 1


def test_strata_of_a_row_are_spread_over_the_folds():
    rows = batch(fate=[f"f{i}" for i in range(200)], id=list(range(200)))
    split = Stratified(strata=["fate"], key=["id"], folds=4)
    splitter = open_splitter(split).informed(stratified.Seen.of(rows, split))
    assert np.bincount(splitter.folds(rows), minlength=4).min() > 30


def test_a_key_beside_files_of_eval_takes_no_row_from_train():
    split = open_splitter(FileSplit(test="test*", eval=["valid*"], key=["n"]))
    assert set(split.assign(batch(n=list(range(50))), "train.csv")) == {0}
