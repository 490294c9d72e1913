"""What each kind of split assigns: golden values, which hold for ever."""

import datetime
import json

import pyarrow as pa
import pytest

from components.ingest.splits.protocol import open_splitter, seen_by
from schemas import splits

DAY = datetime.timedelta(days=1) // datetime.timedelta(microseconds=1)
ROWS = pa.RecordBatch.from_pydict(
    {
        "id": pa.array(range(24), pa.int64()),
        "customer": pa.array([f"c{i // 2}" for i in range(24)]),
        "fare": pa.array([i / 4 for i in range(24)], pa.float32()),
        "fate": pa.array(["kept"] * 16 + ["lost"] * 8),
        "at": pa.array([i * 7 % 24 * DAY for i in range(24)], pa.int64()),
        "part": pa.array(["train", "eval", "test", "train"] * 6),
    }
)


def assigned(options):
    """Return the split of each row, and the folds of those of train, as digits; - is dropped."""
    options = splits.loads(json.dumps(options))
    splitter = open_splitter(options)
    if splitter.looks_at:
        splitter = splitter.informed(seen_by(options).of(ROWS, options))
    split = splitter.assign(ROWS, "rows.csv")
    digits = "".join("-" if s < 0 else str(s) for s in split.tolist())
    if options.folds is None:
        return digits
    training = ROWS.filter(pa.array(split == 0))
    return digits, "".join(map(str, splitter.folds(training).tolist()))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"key": ["id", "customer"]}, "000120000000021001011200"),
        (
            {"key": ["id", "fare"], "folds": 3},
            ("001000000020020111002000", "22100200211010101"),
        ),
        (
            {"by": "group", "key": ["customer"], "folds": 4},
            ("000011220000000000000000", "22001100330011223333"),
        ),
        (
            {"by": "stratified", "strata": ["fate"], "key": ["id"], "folds": 3},
            ("001000010200002100001002", "22102101010011022"),
        ),
        (
            {"by": "time", "column": "at", "folds": 5},
            ("000200100020010002002001", "02413024130241313"),
        ),
        (
            {"by": "time", "column": "at", "eval_from": "1970-01-15", "test_from": "1970-01-20"}
            | {"gap": "2d", "folds": 2},
            ("001200-00120-200120-200-", "010101001101"),
        ),
        (
            {"by": "column", "column": "part", "key": ["customer"], "folds": 2},
            ("012001200120012001200120", "101100100111"),
        ),
        (
            {"by": "file", "test": "test*", "key": ["customer"], "folds": 3},
            ("000000110000000000000000", "2200221100220000112222"),
        ),
        (
            {"by": "file", "test": "test*", "eval": ["rows*"], "key": ["customer"]},
            "111111111111111111111111",
        ),
    ],
    ids=lambda value: value.get("by", "hash") if isinstance(value, dict) else "",
)
def test_golden_assignments(options, expected):
    # If this fails, existing data would be split differently: do not change the values.
    assert assigned(options) == expected


def test_every_kind_has_a_golden_assignment():
    (table,) = (mark for mark in test_golden_assignments.pytestmark if mark.name == "parametrize")
    assert {options.get("by", "hash") for options, _ in table.args[1]} == set(splits.NAMES)
