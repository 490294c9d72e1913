"""Tables of BigQuery, from clients that answer as Google's do, with real Arrow messages."""

import os
from dataclasses import dataclass, field
from datetime import date, datetime, time, timezone
from decimal import Decimal

import pyarrow as pa
import pytest
from google.api_core.exceptions import Forbidden, ServiceUnavailable
from google.cloud.bigquery import SchemaField, TableReference
from google.cloud.bigquery_storage_v1 import types
from google.cloud.bigquery_storage_v1.reader import ReadRowsStream

from components.sources import bigquery
from components.sources.bigquery import Reader
from components.sources.bigquery_client import Clients
from components.sources.protocol import Selection
from schemas.columns import Column
from schemas.errors import ConfigError, DataError
from schemas.sources.bigquery import BigQuery
from tests.source_rows import read_all

NAME = "my-project.sales.trips"
PATH = f"bigquery://{NAME}"
CHANGED = datetime(2026, 1, 2, tzinfo=timezone.utc)
FIELDS = (
    SchemaField("id", "INTEGER", mode="REQUIRED"),
    SchemaField("at", "TIMESTAMP"),
    SchemaField("dt", "DATETIME"),
    SchemaField("d", "DATE"),
    SchemaField("tm", "TIME"),
    SchemaField("n", "NUMERIC"),
    SchemaField("big", "BIGNUMERIC"),
    SchemaField("b", "BOOLEAN"),
    SchemaField("raw", "BYTES"),
    SchemaField("j", "JSON"),
    SchemaField("h", "FLOAT", mode="REPEATED"),
    SchemaField("r", "RECORD", fields=(SchemaField("a", "STRING"), SchemaField("n", "INTEGER"))),
    SchemaField("rr", "RECORD", mode="REPEATED", fields=(SchemaField("a", "STRING"),)),
    SchemaField("all_null", "INTEGER"),
)
# As the Storage Read API sends them.
ARROW = pa.schema(
    [
        ("id", pa.int64()),
        ("at", pa.timestamp("us", "UTC")),
        ("dt", pa.timestamp("us")),
        ("d", pa.date32()),
        ("tm", pa.time64("us")),
        ("n", pa.decimal128(38, 9)),
        ("big", pa.decimal256(76, 38)),
        ("b", pa.bool_()),
        ("raw", pa.binary()),
        ("j", pa.string()),
        ("h", pa.list_(pa.float64())),
        ("r", pa.struct([("a", pa.string()), ("n", pa.int64())])),
        ("rr", pa.list_(pa.struct([("a", pa.string())]))),
        ("all_null", pa.int64()),
    ]
)
ROW = {
    "id": 1,
    "at": datetime(1970, 1, 1, 0, 0, 1, tzinfo=timezone.utc),
    "dt": datetime(1970, 1, 1, 0, 0, 2, tzinfo=timezone.utc).replace(tzinfo=None),
    "d": date(1970, 1, 2),
    "tm": time(12),
    "n": Decimal("1.100000000"),
    "big": Decimal("3." + "0" * 38),
    "b": True,
    "raw": b"x",
    "j": '{"a":1}',
    "h": [1.0, 2.0],
    "r": {"a": "x", "n": 5},
    "rr": [{"a": "y"}],
    "all_null": None,
}


def pruned(arrow, selected):
    """Return those parts of a field that are selected; None if nothing is."""
    if arrow.name in selected:
        return arrow
    inner = [name.partition(".")[2] for name in selected if name.startswith(f"{arrow.name}.")]
    kept = [each for each in arrow.type if each.name in inner] if inner else []
    return pa.field(arrow.name, pa.struct(kept)) if kept else None


@dataclass
class Google:
    """Both of Google's clients, of a table or the result of a query."""

    rows: list[dict[str, object]] = field(default_factory=lambda: [ROW])
    fields: tuple[SchemaField, ...] = FIELDS
    project: str = "paying"
    table_type: str = "TABLE"
    streaming_buffer: object = None
    modified: datetime = CHANGED
    etag: str = "e"
    referenced: tuple[str, ...] = (NAME,)
    breaks: bool = False  # each stream, once
    asked: list[object] = field(default_factory=list)

    full_table_id = NAME

    @property
    def schema(self):
        return self.fields

    @property
    def num_rows(self):
        return len(self.rows)

    # the client of BigQuery, and its tables and jobs

    def get_table(self, name):
        if name != NAME:
            raise Forbidden(f"Access Denied: Table {name}")
        return self

    def query(self, text, job_config=None):
        self.asked.append("planned" if job_config and job_config.dry_run else text)
        return self

    def result(self):
        return self.rows

    @property
    def destination(self):
        return TableReference.from_string("paying._temporary.anon")

    @property
    def referenced_tables(self):
        return self.referenced

    # the client of the Storage Read API

    def create_read_session(self, parent, read_session, max_stream_count):
        self.asked.append(
            (parent, read_session.table, list(read_session.read_options.selected_fields))
        )
        selected = read_session.read_options.selected_fields
        self.arrow = pa.schema([kept for each in ARROW if (kept := pruned(each, selected))])
        count = min(max_stream_count, len(self.rows))
        return types.ReadSession(
            arrow_schema={"serialized_schema": self.arrow.serialize().to_pybytes()},
            streams=[{"name": f"{number}/{count}"} for number in range(count)],
            estimated_row_count=len(self.rows),
            estimated_total_bytes_scanned=100,
        )

    def read_rows(self, name=None, offset=0, read_stream=None, **_):
        if name is not None:  # as a user calls it
            return ReadRowsStream(self, name, offset, {})
        return self._responses(read_stream, offset)

    def _responses(self, stream, offset):
        number, count = map(int, stream.split("/"))
        for position, row in list(enumerate(self.rows[number::count]))[offset:]:
            if self.breaks and position == 1:
                self.breaks = False
                raise ServiceUnavailable("the connection is lost")
            batch = pa.RecordBatch.from_pylist([row], self.arrow)
            yield types.ReadRowsResponse(
                arrow_record_batch={"serialized_record_batch": batch.serialize().to_pybytes()},
                row_count=1,
            )


class OfGoogle(Clients):
    """Makes the same clients each time."""

    def __init__(self, google):
        self._google = google

    def bigquery(self, options):
        return self._google

    def read(self):
        return self._google


def reader(google, columns=(), keys=(), **options):
    table = BigQuery(**(options or {"table": NAME}))
    return Reader(table, Selection(columns, keys=keys), OfGoogle(google))


def value_as(column):
    """Return the value of the row as this raw column, or the reason of the reject."""
    rows, rejects = read_all(reader(Google(), (column,)), PATH)
    return rows[0][1][0] if rows else rejects[0][3]


def test_each_type_is_a_raw_column_by_its_rule():
    assert value_as(Column("id", "INT", True)) == 1
    assert value_as(Column("at", "TIME", True, ("UNIX_SECONDS",))) == 10**6
    assert value_as(Column("dt", "TIME_TEXT", True, ("%Y-%m-%d %H:%M:%S",))) == 2 * 10**6
    assert value_as(Column("d", "TIME", True, ("UNIX_DAYS",))) == 86_400 * 10**6
    assert value_as(Column("n", "FLOAT", True)) == pytest.approx(1.1)
    assert value_as(Column("n", "INT", True)) == "not_an_integer"
    assert value_as(Column("big", "INT", True)) == 3
    assert value_as(Column("b", "BOOL", True)) == 1
    assert value_as(Column("raw", "BYTES", True)) == "x"
    assert value_as(Column("j", "BYTES", True)) == '{"a":1}'
    assert value_as(Column("h", "FLOAT", True, most=2)) == [1.0, 2.0]
    assert value_as(Column("r.a", "BYTES", True)) == "x"
    assert value_as(Column("r.n", "INT", True)) == 5
    assert value_as(Column("all_null", "INT", True)) is None


@pytest.mark.parametrize(
    ("column", "what", "remedy"),
    [
        (Column("rr.a", "BYTES", True), "the column 'rr.a' is of 'rr', a repeated record",
         "ARRAY(SELECT each.a FROM UNNEST(rr) AS each) AS rr_a"),
        (Column("rr", "BYTES", True, most=2), "the column 'rr' is of 'rr', a repeated record",
         "ARRAY(SELECT each.a FROM UNNEST(rr) AS each) AS rr_a"),
        (Column("r", "BYTES", True), "the column 'r' is struct", "name a field of it, such as r.a"),
        (Column("tm", "BYTES", True), "the column 'tm' is time64[us]", "CAST(tm AS STRING)"),
        (Column("id", "BYTES", True), "the column 'id' is int64", "CAST(id AS STRING)"),
        (Column("idd", "INT", True), "the table has no column 'idd'; did you mean 'id'?",
         "correct the table"),
    ],
)  # fmt: skip
def test_a_column_that_cannot_be_read_is_refused_by_name_before_a_session(column, what, remedy):
    google = Google()
    for method in ("check", "parts"):
        with pytest.raises(DataError) as caught:
            getattr(reader(google, (column,)), method)(PATH)
        assert caught.value.what.startswith(what)
        assert remedy in str(caught.value.remedy)
    assert google.asked == []


def test_only_the_columns_that_are_read_are_asked_for():
    google = Google()
    (part,) = reader(google, (Column("id", "INT", True), Column("r.a", "BYTES", True))).parts(PATH)
    assert google.asked == [
        ("projects/paying", "projects/my-project/datasets/sales/tables/trips", ["id", "r.a"])
    ]
    assert {"at", "rr"} <= set(part.ignored)
    assert not {"id", "r", "r.a"} & set(part.ignored)
    assert part.rows == 1


def test_a_record_that_is_missing_has_missing_fields():
    rows = [{**ROW, "r": None}, {**ROW, "r": {"a": None, "n": 1}}, ROW]
    read, _ = read_all(reader(Google(rows=rows), (Column("r.a", "BYTES", True),)), PATH)
    assert read == [(1, (None,)), (2, (None,)), (3, ("x",))]


def test_streams_are_parts_with_every_row_once():
    rows = [{**ROW, "id": number} for number in range(10)]
    google = Google(rows=rows)
    ours = reader(google, (Column("id", "INT", True),), table=NAME, read_streams=3)
    parts = ours.parts(PATH)
    assert [part.path for part in parts] == [f"{PATH} stream {number}" for number in (1, 2, 3)]
    assert sum(part.rows for part in parts) == pytest.approx(10)
    read, _ = read_all(ours, PATH)
    assert sorted(value for _, (value,) in read) == list(range(10))


def test_a_stream_that_breaks_is_read_on_from_its_offset():
    google = Google(rows=[{**ROW, "id": number} for number in range(4)], breaks=True)
    read, _ = read_all(reader(google, (Column("id", "INT", True),)), PATH)
    assert read == [(number + 1, (number,)) for number in range(4)]
    assert not google.breaks


def test_a_table_without_rows_is_one_part_without_rows():
    ours = reader(Google(rows=[]), (Column("id", "INT", True),))
    (part,) = ours.parts(PATH)
    assert list(ours.read(part)) == []


def test_a_query_is_only_planned_for_a_check_and_run_for_its_rows():
    google, text = Google(), "SELECT * FROM sales.trips"
    ours = reader(google, (Column("id", "INT", True),), query=text)
    ours.check("bigquery://query")
    assert google.asked == ["planned"]
    rows, _ = read_all(ours, "bigquery://query")
    assert rows == [(1, (1,))]
    table = "projects/paying/datasets/_temporary/tables/anon"
    assert google.asked[1:] == ["planned", text, ("projects/paying", table, ["id"])]


def test_a_version_is_that_of_the_tables_and_a_new_one_where_it_cannot_be_known():
    def version(google, **options):
        return reader(google, **options).version(PATH if "table" in options else "bigquery://query")

    known = version(Google(), table=NAME)
    assert known == version(Google(), table=NAME)
    assert version(Google(), query="SELECT 1") == known
    now = datetime.now(timezone.utc)
    for changed in (Google(modified=now), Google(rows=[]), Google(etag="f")):
        assert version(changed, table=NAME) != known
    for google in (Google(streaming_buffer=object()), Google(table_type="VIEW")):
        assert version(google, query="SELECT 1") != version(google, query="SELECT 1")
    recent = "SELECT * FROM sales.trips WHERE day > CURRENT_DATE() - 7"
    assert version(Google(), query=recent) != version(Google(), query=recent)


def test_a_view_is_refused_with_the_query_that_reads_it():
    with pytest.raises(DataError) as caught:
        reader(Google(table_type="VIEW"), (Column("id", "INT", True),)).check(PATH)
    assert caught.value.what == f"{NAME} is a VIEW, whose rows cannot be read directly"
    assert caught.value.remedy == f"write query: SELECT * FROM `{NAME}`"


def test_a_refusal_has_googles_words():
    with pytest.raises(DataError, match=r"BigQuery refuses: Access Denied: Table p\.d\.t"):
        reader(Google(), (), table="p.d.t").check("bigquery://p.d.t")


def test_missing_credentials_are_an_error_of_the_configuration(monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(ConfigError, match=r"BigQuery cannot be asked: .*none\.json"):
        Reader(BigQuery(table=NAME), Selection(())).check(PATH)


def test_a_sample_has_the_fields_of_records_and_no_repeated_records():
    google = Google(rows=[{**ROW, "id": number} for number in range(3)])
    options = bigquery.draft(PATH)
    table, whole = bigquery.sample(options, PATH, 2, OfGoogle(google))
    assert (table.num_rows, whole) == (2, False)
    assert {"id", "r.a", "h", "n"} <= set(table.column_names)
    assert not {"r", "rr", "tm"} & set(table.column_names)
    assert bigquery.sample(options, PATH, 3, OfGoogle(google))[1]


@pytest.mark.skipif(
    "SKEWLESS_BIGQUERY_TABLE" not in os.environ,
    reason="needs credentials of Google, and SKEWLESS_BIGQUERY_TABLE=project.dataset.table",
)
def test_a_table_of_google_is_read_as_the_clients_of_the_tests_say():
    path = f"bigquery://{os.environ['SKEWLESS_BIGQUERY_TABLE']}"
    options = bigquery.draft(path)
    table, _ = bigquery.sample(options, path, 1_000)
    keys = tuple(Column(name, "BYTES", True) for name in table.column_names)
    ours = Reader(options, Selection((), keys=keys))
    ours.check(path)
    (part,) = ours.parts(path)
    assert part.key_types == table.schema
    assert ours.version(path)
