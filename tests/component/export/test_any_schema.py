"""Rows of any schema are the same in every format, as examples, and in the graph by any request."""

import csv
import datetime
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.calendar import DAY, SECOND
from components.encoded_examples import as_tf_examples
from components.examples import arrow_schema, as_raw_columns, column
from components.export.inputs import complete, parse, raw_columns
from components.parity.reference import dense
from components.profile.types import quoted
from components.sources.protocol import Selection, open_reader
from schemas import sources
from schemas.columns import LARGEST_INTEGER, Column, read_columns
from schemas.schema_rules import check_schema

pytestmark = pytest.mark.component

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
DAYS = 104_000  # within 2**53 microseconds of 1970
UNITS = {"UNIX_DAYS": DAY, "UNIX_SECONDS": SECOND, "UNIX_MICROSECONDS": 1}
FORMATS = {"%d %b %Y": DAY, "%Y-%m-%d %H:%M:%S": SECOND, "%Y-%m-%dT%H:%M:%S.%f%z": 1}

# ---------------------------------------------------------------------------- schemas and values

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
PARTS = TEXTS.map(lambda text: text.replace("|", "/").replace("[]", "()"))  # of a list, in CSV
NAMES = st.text("aB é.日-$1_", min_size=1, max_size=6).filter(lambda name: name == name.strip())
INTEGERS = st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@dataclass(frozen=True)
class Kind:
    """A kind of column: what schema.pbtxt says of it, and its values as examples hold them."""

    written: str
    values: st.SearchStrategy[Any]


def of_bounds(pair: tuple[int, int]) -> Kind:
    low, high = sorted(pair)
    domain = f"int_domain {{ min: {low} max: {high} }}" if low < high else ""
    return Kind(f"type: INT {domain}", INTEGERS)


def of_times(tick: int) -> st.SearchStrategy[int]:
    most = DAYS * DAY // tick
    return st.integers(-most, most).map(lambda ticks: ticks * tick)


def as_lists(kind: Kind, most: int, least: int) -> Kind:
    count = f"value_count {{ min: {min(least, most)} max: {most} }}"
    return Kind(f"{kind.written} {count}", st.lists(kind.values, max_size=most))


INTEGER = st.tuples(INTEGERS, INTEGERS).map(of_bounds)
FLOAT = st.just(Kind("type: FLOAT", FLOATS))
BOOLEAN = st.one_of(
    st.just(Kind("type: INT bool_domain {}", st.integers(0, 1))),
    st.just(
        Kind(
            'type: BYTES bool_domain { true_value: "ja" false_value: "nein" }',
            st.sampled_from(["ja", "nein"]),
        )
    ),
)
TIME = st.one_of(
    st.sampled_from(sorted(UNITS)).map(
        lambda unit: Kind(
            f"type: INT time_domain {{ integer_format: {unit} }}", of_times(UNITS[unit])
        )
    ),
    st.sampled_from(sorted(FORMATS)).map(
        lambda form: Kind(
            f'type: BYTES time_domain {{ string_format: "{form}" }}', of_times(FORMATS[form])
        )
    ),
)
SINGLE = st.one_of(
    INTEGER,
    FLOAT,
    st.just(Kind("type: FLOAT float_domain { min: -1 max: 1 }", FLOATS)),
    st.just(Kind("type: BYTES", TEXTS)),
    st.just(Kind('type: BYTES string_domain { value: "a" }', TEXTS)),
    BOOLEAN,
    TIME,
)
LISTS = st.builds(
    as_lists,
    st.one_of(INTEGER, FLOAT, BOOLEAN, TIME, st.just(Kind("type: BYTES", PARTS))),
    st.integers(2, 5),
    st.integers(0, 2),
)
PRESENCE = st.sampled_from(["", "presence { min_count: 1 }", "presence { min_fraction: 0.5 }"])


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[dict[str, Any]]]:
    """Draw a schema.pbtxt, and rows as examples hold them, None where missing."""
    names = draw(st.lists(NAMES, min_size=1, max_size=7, unique=True))
    kinds = {name: draw(st.one_of(SINGLE, LISTS)) for name in names}
    features = [
        f"feature {{ name: {quoted(name)} {kind.written} {draw(PRESENCE)} }}"
        for name, kind in kinds.items()
    ]
    row = st.fixed_dictionaries({n: st.none() | kind.values for n, kind in kinds.items()})
    return "\n".join(features), draw(st.lists(row, min_size=1, max_size=5))


# --------------------------------------------------------------------------- values in each format


def in_words(value: Any, raw: Column) -> Any:
    """Return a value as people write it: a time as a number in its unit, or in its format."""
    if isinstance(value, list):
        return [in_words(each, raw) for each in value]
    if raw.type.name == "TIME":
        return value // UNITS[raw.form[0]]
    if raw.type.name == "TIME_TEXT":
        moment = EPOCH + datetime.timedelta(microseconds=value)
        return moment.strftime(raw.form[0])
    return value


def in_csv(value: Any, raw: Column) -> str:
    if value is None:
        return ""
    if raw.is_list:
        return "|".join(map(str, in_words(value, raw))) if value else "[]"
    return str(in_words(value, raw))


def in_json(value: Any, raw: Column) -> Any:
    if value is None:
        return None
    if raw.type.is_boolean:
        return [v in (1, "ja") for v in value] if raw.is_list else value in (1, "ja")
    return in_words(value, raw)


def write_csv(path: Path, columns: tuple[Column, ...], rows: list[dict[str, Any]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([c.name for c in columns])
        writer.writerows([[in_csv(row[c.name], c) for c in columns] for row in rows])


def write_jsonl(path: Path, columns: tuple[Column, ...], rows: list[dict[str, Any]]) -> None:
    lines = [{c.name: in_json(row[c.name], c) for c in columns} for row in rows]
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")


def write_parquet(path: Path, columns: tuple[Column, ...], rows: list[dict[str, Any]]) -> None:
    fields, arrays = [], []
    for raw, field in zip(columns, arrow_schema(columns), strict=True):
        kind = field.type
        if raw.type.is_time:
            kind = pa.timestamp("us", "UTC")
        elif raw.type.is_boolean:
            kind = pa.bool_()
        kind = pa.list_(kind) if raw.is_list and not pa.types.is_list(kind) else kind
        values = [
            row[raw.name] if raw.type.is_time else in_json(row[raw.name], raw) for row in rows
        ]
        fields.append(pa.field(raw.name, kind))
        arrays.append(pa.array(values, kind))
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), path)


WRITERS = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}


def read(path: Path, kind: str, columns: tuple[Column, ...]) -> pa.RecordBatch:
    options = sources.loads(json.dumps({"format": kind, "path": str(path)}))
    reader = open_reader(options, Selection(columns))
    blocks = [block for part in reader.parts(str(path)) for block in reader.read(part)]
    assert [reject for block in blocks for reject in block.rejects] == []
    table = pa.Table.from_batches([block.columns for block in blocks], arrow_schema(columns))
    (batch,) = table.combine_chunks().to_batches()
    return batch


def plain(tensor: tf.Tensor | tf.RaggedTensor) -> list[Any]:
    values = tensor.to_list() if isinstance(tensor, tf.RaggedTensor) else tensor.numpy().tolist()
    return [str(value) for value in values]  # NaN is equal to NaN


@given(tables())
@settings(max_examples=20, deadline=None)
def test_rows_of_any_schema_are_the_same_on_every_way(tmp_path_factory, table):
    schema, rows = table
    folder = tmp_path_factory.getbasetemp()
    check_schema(schema, where="schema.pbtxt", compared=())
    own = read_columns(schema, where="schema.pbtxt")
    first = Column("row", "INT", serving=True)  # never missing: a line is never blank
    columns = (first, *own)
    rows = [{"row": number, **row} for number, row in enumerate(rows)]

    expected = pa.RecordBatch.from_pylist(rows, arrow_schema(columns))
    for kind, write in WRITERS.items():
        path = folder / f"rows.{kind}"
        write(path, columns, rows)
        assert read(path, kind, columns).to_pylist() == expected.to_pylist(), kind

    request = {
        name: tf.constant(values, tf.string if values.dtype == object else values.dtype)
        for name, values in as_raw_columns(expected, columns).items()
    }
    by_columns = raw_columns(complete(request, columns), columns)
    by_examples = parse(tf.constant(as_tf_examples(expected, columns)), columns)
    for raw in columns:
        in_training = plain(dense(column(expected, raw.name), raw))
        assert plain(by_columns[raw.name]) == in_training, raw
        assert plain(by_examples[raw.name]) == in_training, raw
