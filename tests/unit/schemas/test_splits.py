"""The options of each kind of split are checked where they are read."""

import json

import pydantic
import pytest

from schemas import splits
from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.splits.time import Time

WEEK = 7 * 86_400_000_000
MAY = 1_714_521_600_000_000  # 2024-05-01 in microseconds since 1970


def read(**options):
    return splits.loads(json.dumps(options))


def test_a_split_is_by_hash_unless_it_says_otherwise():
    assert read(key=["id"]).by == "hash"
    assert read(by="group", key=["customer"]).needed == ("customer",)
    assert read(by="hash", key=["id"]).needed == ()


def test_borders_are_times_in_utc_or_whole_numbers():
    split = read(by="time", column="at", eval_from="2024-05-01", test_from="2024-05-08T00:00Z")
    assert split.borders == (MAY, MAY + WEEK)
    assert read(by="time", column="n", eval_from=10, test_from=20, gap=5).gap_size == 5
    assert read(by="time", column="at", gap="7d").gap_size == WEEK
    assert read(by="time", column="at").borders is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"eval_from": "2024-05-01"}, "need each other"),
        ({"eval_from": "2024-05-02", "test_from": "2024-05-01"}, "has to be before"),
        ({"eval_from": "May", "test_from": "June"}, "expected a date or time"),
        ({"gap": "a week"}, "expected a gap such as"),
        ({"train": 0.9}, "must be 1"),
    ],
)
def test_times_that_cannot_be_borders(options, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        Time(column="at", **options)


def test_a_value_is_in_one_split():
    with pytest.raises(pydantic.ValidationError, match="the value 'a' is in two splits"):
        read(by="column", column="fold", train=["a"], eval=["b"], test=["a"])


@pytest.mark.parametrize(
    ("options", "kind", "fits"),
    [
        ({"by": "time", "eval_from": "2024-05-01", "test_from": "2024-06-01"}, "TIME", True),
        ({"by": "time", "eval_from": "2024-05-01", "test_from": "2024-06-01"}, "INT", False),
        ({"by": "time", "eval_from": 1, "test_from": 2}, "INT", True),
        ({"by": "time", "eval_from": 1, "test_from": 2}, "TIME_TEXT", False),
        ({"by": "time", "gap": "1d"}, "INT", False),
        ({"by": "time"}, "BYTES", False),
        ({"by": "column"}, "BYTES", True),
        ({"by": "column"}, "FLOAT", False),
    ],
)
def test_the_column_has_a_type_that_fits(options, kind, fits):
    split = read(column="c", **options)
    columns = (Column("c", kind, serving=False),)
    if fits:
        split.check(columns, where="splits")
    else:
        with pytest.raises(ConfigError):
            split.check(columns, where="splits")


def test_files_of_eval_or_a_key_are_needed():
    with pytest.raises(pydantic.ValidationError, match="give eval, the files of eval, or key"):
        read(by="file", test="adult.test")
    assert read(by="file", test="adult.test", key=["id"]).reads_names


@pytest.mark.parametrize(
    "options",
    [{"by": "column", "column": "part"}, {"by": "file", "test": "t*", "eval": ["e*"]}],
)
def test_folds_of_a_given_split_need_a_key(options):
    with pytest.raises(pydantic.ValidationError, match="folds needs key"):
        read(**options, folds=5)
    assert read(**options, folds=5, key=["id"]).folds == 5


def test_there_are_two_folds_or_more():
    with pytest.raises(pydantic.ValidationError, match="greater than or equal to 2"):
        read(key=["id"], folds=1)


def test_a_key_of_a_split_that_does_not_hash_it_has_to_be_apart():
    for options in ({"by": "column"}, {"by": "time"}):
        assert read(**options, column="c").apart == ()
        split = read(**options, column="c", key=["id"])
        assert (split.apart, split.columns) == (("id",), ("c", "id"))
        assert read(**options, column="c", key=["id"], shared_keys="allow").apart == ()
    assert read(by="file", test="t*", key=["id"]).apart == ("id",)
    assert read(key=["id"]).apart == ()


def test_times_of_a_given_split_are_needed_and_of_a_type_with_an_order():
    split = read(by="column", column="part", time="at", key=["id"])
    assert split.columns == ("part", "id", "at")
    assert split.needed == ("part", "at")
    assert (split.time_column, split.ordered) == ("at", True)
    text = Column("at", "BYTES", serving=False)
    columns = (Column("part", "BYTES", serving=False), Column("id", "FLOAT", serving=False), text)
    with pytest.raises(ConfigError, match=r"splits\.time cannot take 'at'"):
        split.check(columns, where="splits")
    split.check((*columns[:2], Column("at", "TIME", serving=False)), where="splits")
