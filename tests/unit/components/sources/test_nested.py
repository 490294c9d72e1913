"""A field of a struct is a column with a dotted name, in each format whose files have types."""

import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet as pq
import pytest

from components.sources import arrow, orc, parquet
from components.sources.nested import columns_of
from components.sources.protocol import Selection
from schemas import sources
from schemas.columns import Column
from schemas.errors import DataError
from tests.source_rows import read_all

PLACES = [
    {"lat": 1.5, "of": {"city": "Oslo", "tags": ["a"]}},
    None,
    {"lat": None, "of": None},
    {"lat": float("inf"), "of": {"city": "Bergen", "tags": []}},
]
FIELDS = [("city", pa.string()), ("tags", pa.list_(pa.string()))]
PLACE = pa.struct([("lat", pa.float64()), ("of", pa.struct(FIELDS))])
TABLE = pa.table({"y": [0, 1, 0, 1], "place": pa.array(PLACES, PLACE), "note": list("abcd")})
WRITE = {
    "parquet": (parquet, lambda table, path: pq.write_table(table, path, row_group_size=2)),
    "arrow": (arrow, pyarrow.feather.write_feather),
    "orc": (orc, pyarrow.orc.write_table),
}
COLUMNS = (
    Column("place.of.city", "BYTES", serving=True),
    Column("y", "INT", serving=True),
    Column("place.lat", "FLOAT", serving=True),
    Column("place.of.tags", "BYTES", serving=True, most=3),
)


@pytest.mark.parametrize("kind", WRITE)
def test_a_field_of_a_struct_is_a_column(tmp_path, kind):
    module, write = WRITE[kind]
    path = str(tmp_path / f"rows.{kind}")
    write(TABLE, path)
    options = sources.plain(path)
    reader = module.Reader(options, Selection(COLUMNS))
    rows, rejects = read_all(reader, path, [column.name for column in COLUMNS])
    assert rows == [
        (1, ("Oslo", 0, 1.5, ["a"])),
        (2, (None, 1, None, None)),
        (3, (None, 0, None, None)),
    ]
    assert [reject[:2] for reject in rejects] == [(4, "place.lat")]
    assert reader.parts(path)[0].ignored == ("note",)
    sampled, whole = module.sample(options, path, 3)
    assert sampled.column_names == ["y", "note", "place.lat", "place.of.city", "place.of.tags"]
    assert sampled["place.of.city"].to_pylist()[:2] == ["Oslo", None]
    assert not whole
    part = module.Reader(options, Selection((Column("place", "BYTES", serving=True),)))
    with pytest.raises(DataError, match=r"name a field of it, such as place\.lat"):
        part.parts(path)


def test_a_name_that_a_column_has_means_the_column():
    inner = pa.struct([("b", pa.int64()), ("c.d", pa.int64())])
    twice = pa.struct([("e", pa.int64()), ("e", pa.int64())])
    schema = pa.schema([("a", inner), ("a.b", pa.string()), ("f", twice), ("g.h", inner)])
    assert columns_of(schema) == schema
