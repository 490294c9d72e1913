"""All kinds of sources give the same result for the same rows, and are found by name."""

import json
import subprocess
import sys

import fastavro
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.feather as feather
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.sources.protocol import Needs, Selection, module_of, open_reader
from components.sources.rejects import RejectReason
from schemas import sources
from schemas.columns import Column
from schemas.sources.arrow import Arrow
from schemas.sources.avro import Avro
from schemas.sources.csv import Csv
from schemas.sources.jsonl import JsonLines
from schemas.sources.orc import Orc
from schemas.sources.parquet import Parquet

COLUMNS = (Column("n", "INT", True), Column("x", "FLOAT", True), Column("t", "BYTES", True))
TYPES = pa.schema([("n", pa.int64()), ("x", pa.float64()), ("t", pa.string())])
AVRO = {
    "type": "record",
    "name": "row",
    "fields": [
        {"name": name, "type": ["null", kind]}
        for name, kind in (("n", "long"), ("x", "double"), ("t", "string"))
    ],
}
PLAIN = {"sql": "sqlite:///a.db#t", "bigquery": "bigquery://p.d.t"}  # what is not a file
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**54), 2**54),
        st.none() | st.floats(allow_nan=False),
        st.none() | st.text("ab?\0é ", max_size=3),
    ),
    min_size=1,
    max_size=20,
)


@pytest.mark.parametrize("kind", sources.FORMATS)
def test_a_kind_s_reader_is_in_the_file_of_its_name(kind):
    (options,) = (k for k in sources.KINDS if k.model_fields["format"].default == kind)
    reader = open_reader(options.plain(PLAIN.get(kind, "")), Selection(COLUMNS))
    assert type(reader).__module__ == module_of(kind) == f"components.sources.{kind}"


def test_a_csv_file_is_checked_without_arrow_and_other_kinds(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("n\n1\n")
    code = (
        "import sys; from components.sources.protocol import Needs, Selection, open_reader;"
        "from schemas.columns import Column; from schemas.sources import plain;"
        f"reader = open_reader(plain({str(path)!r}), Selection((Column('n', 'INT', True),)));"
        f"reader.check({str(path)!r}); print([p.rows for p in reader.parts({str(path)!r})]);"
        "print({'pyarrow', 'components.sources.parquet'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[1.0]\nset()\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("sources")


@given(ROWS, st.booleans(), st.sampled_from([(), ("n",), ("x", "t")]))
def test_rows_mean_the_same_in_every_kind(folder, rows, trim, required):
    columns = zip(*rows, strict=True)
    arrays = [pa.array(c, t) for c, t in zip(columns, TYPES.types, strict=True)]
    table = pa.table(arrays, schema=TYPES)
    pv.write_csv(table, folder / "rows.csv")
    pq.write_table(table, folder / "rows.parquet")
    feather.write_feather(table, folder / "rows.feather")
    orc.write_table(table, folder / "rows.orc")
    with open(folder / "rows.avro", "wb") as file:
        fastavro.writer(file, AVRO, table.to_pylist())
    lines = [json.dumps(row) for row in table.to_pylist()]
    (folder / "rows.jsonl").write_text("\n".join(lines))
    options = {"null_values": ("?",), "trim": trim}
    results = [
        result(Csv(path=str(folder / "rows.csv"), **options), required),
        result(Parquet(path=str(folder / "rows.parquet"), **options), required),
        result(JsonLines(path=str(folder / "rows.jsonl"), **options), required),
        result(Arrow(path=str(folder / "rows.feather"), **options), required),
        result(Orc(path=str(folder / "rows.orc"), **options), required),
        result(Avro(path=str(folder / "rows.avro"), **options), required),
    ]
    assert all(each == results[0] for each in results)


@pytest.mark.parametrize("weight", ["n", "x"])
def test_rows_without_a_possible_weight_are_rejected(folder, weight):
    rows = pa.table({"n": [0, 1, -1, None, 2**53], "x": [0.0, 0.5, -1e-30, None, 3.0]})
    table = rows.append_column("t", pa.array(["a"] * 5))
    pv.write_csv(table, folder / "rows.csv")
    pq.write_table(table, folder / "rows.parquet")
    for options in (Csv(path=str(folder / "rows.csv")), Parquet(path=str(folder / "rows.parquet"))):
        kept = result(options, (), weight)
        assert kept[2:4] == [
            (weight, RejectReason.NEGATIVE_WEIGHT),
            (weight, RejectReason.MISSING_WEIGHT),
        ]
        assert [row[2] for row in kept[:2] + kept[4:]] == ["a"] * 3


def result(options, required, weight=None):
    """Return the result for each record, in order: its values, or the column and the reason."""
    reader = open_reader(options, Selection(COLUMNS, Needs(required, weight=weight)))
    (part,) = reader.parts(options.path)
    became: dict[int, object] = {}
    for block in reader.read(part):
        rows = zip(block.places.tolist(), block.columns.to_pylist(), strict=True)
        became |= {place: tuple(row.values()) for place, row in rows}
        became |= {reject.line: (reject.column, reject.reason) for reject in block.rejects}
    return [became[place] for place in sorted(became)]
