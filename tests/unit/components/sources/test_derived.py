"""Derived columns that ingest computes: values as the graph has them, missing ones, rejects."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.sources.protocol import Needs, Selection, open_reader
from schemas.columns import Column
from schemas.derive import read_derived
from schemas.sources.csv import Csv
from schemas.sources.parquet import Parquet
from tests.source_rows import read_all

COLUMNS = (
    Column("fare", "FLOAT", serving=True),
    Column("hour", "INT", serving=True),
    Column("note", "BYTES", serving=True),
    Column("paid", "BYTES", serving=True),
    Column("member", "BOOL_TEXT", serving=True, form=("yes", "no")),
    Column("seen", "TIME", serving=True, form=("UNIX_SECONDS",)),
)


def selected(needs=Needs(), keys=(), **texts):  # noqa: B008 - frozen
    derived = read_derived(texts, COLUMNS, where="pipeline.yaml")
    return Selection((*COLUMNS, *(each.stored for each in derived)), needs, keys)


def rows_of(tmp_path, selection, text):
    path = tmp_path / "rows.csv"
    path.write_text(f"fare,hour,note,paid,member,seen\n{text}")
    names = [column.name for column in (*selection.columns, *selection.keys)]
    rows, rejects = read_all(open_reader(Csv(path="x"), selection), str(path), names)
    names = list(dict.fromkeys(names))  # a key may be selected, too
    return [dict(zip(names, values, strict=True)) for _, values in rows], rejects


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("fare / 3", [0.5, 1e38, None]),
        ("fare * 100", [150.0, None, None]),  # beyond float32
        ("hour * 1000000000000000", [5_000_000_000_000_000, None, None]),  # beyond 2**53
        ("hour / 0", [None, None, None]),
        ("trim(note)", ["a", None, None]),  # an empty text is missing
        ("fare > 2", [0, 1, None]),
        ("member or hour = 5", [1, 0, None]),
        ("date_trunc('day', seen)", [86_400_000_000, 0, None]),
        ("cast(seen as date)", [86_400_000_000, 0, None]),
        ("fare * 1e-40", [0.0, 0.030000000000000002, None]),  # subnormal
    ],
)
def test_values_are_as_the_transform_graph_has_them(tmp_path, text, values):
    selection = selected(x=text, y="x is null")
    rows, rejects = rows_of(tmp_path, selection, "1.5,5,a,1,yes,90000\n3e38,99,  ,0,no,9\n,,,,,\n")
    assert not rejects
    found = [row["x"] for row in rows]
    assert [v is None for v in found] == [v is None for v in values]
    assert [v for v in found if v is not None] == pytest.approx(
        [v for v in values if v is not None]
    )
    assert [row["y"] for row in rows] == [int(value is None) for value in values]


@pytest.mark.parametrize(
    ("needs", "reasons"),
    [
        (Needs(label=("x",)), ["missing_label"]),
        (Needs(split=("x",)), ["missing_split"]),
        (Needs(weight="x"), ["negative_weight", "missing_weight"]),
        (Needs(label=("hour", "x")), ["missing_label"]),
    ],
)
def test_a_row_without_what_it_needs_is_rejected(tmp_path, needs, reasons):
    selection = selected(needs, keys=(COLUMNS[3],), x="fare * 2")
    text = "1.5,5,a,1,yes,9\n-1,4,b,0,no,9\n,3,c,0,no,9\n"
    rows, rejects = rows_of(tmp_path, selection, text)
    assert [reject[3] for reject in rejects] == reasons
    assert len(rows) == 3 - len(reasons)
    assert rows[0]["x"] == 3.0
    assert rows[0]["paid"] == "1"


def test_a_reject_has_the_place_and_the_values_of_its_row(tmp_path):
    path = str(tmp_path / "rows.parquet")
    table = pa.table({"fare": [1.0, None], "hour": [1, 2], "note": ["a", "b"], "paid": ["", ""]})
    table = table.append_column("member", pa.array(["yes", "no"]))
    pq.write_table(table.append_column("seen", pa.array([1, 2])), path)
    reader = open_reader(Parquet(path="x"), selected(Needs(label=("x",)), x="fare + hour"))
    (part,) = reader.parts(path)
    (block,) = reader.read(part)
    (reject,) = block.rejects
    assert (block.read, block.places.tolist(), reject.line, reject.column) == (2, [1], 2, "x")
    assert json.loads(reject.record)["hour"] == 2
