"""Lists in files, batches, rows and Python's values: scored as evaluation would score them."""

from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.ml.inference.base import RunInference

import skewless
from components.evaluate.signature import LoadedSignature
from components.examples import arrow_schema, as_raw_columns
from components.export.signatures import serving_columns
from components.score.batch import predict
from components.score.model_handler import RowHandler
from components.score.output import ScoreOutput
from schemas.errors import DataError
from schemas.sources.csv import Csv

pytestmark = pytest.mark.component

ROWS: list[dict[str, Any]] = [
    {"tags": ["Cash", "日本"], "days": [1, 2], "codes": ["a"], "age": 3},
    {"tags": [], "days": [], "codes": [], "age": 3},
    {"tags": None, "days": None, "codes": None, "age": None},
    {"tags": ["never seen"], "days": [2**53], "codes": ["b", "b"], "age": 3},
]


@pytest.fixture(scope="module")
def columns(exported_lists):
    return serving_columns(exported_lists.columns, exported_lists.layout)


@pytest.fixture(scope="module")
def expected(exported_lists, columns):
    batch = pa.RecordBatch.from_pylist(ROWS, arrow_schema(columns))
    signature = LoadedSignature(exported_lists.saved_model, "predict")
    scores = signature(as_raw_columns(batch, columns))["score"]
    return pytest.approx(scores.tolist(), rel=1e-6)


def scored(model, path, folder, **options):
    output = str(folder / "scores.parquet")
    done = predict(
        model=model,
        paths=[str(path)],
        output=ScoreOutput.of(output, None, overwrite=True),
        **options,
    )
    return done, pq.read_table(output).column("score").to_pylist()


def test_a_csv_file_has_lists_as_text(exported_lists, expected, tmp_path):
    path = tmp_path / "rows.csv"
    rows = ["Cash;日本,1;2,a,3", "[],[],[],3", ",?,,", "never seen,9007199254740992,b;b,3"]
    wrong = ["Cash;,1,a,3", "a,1;x,a,3", "a;a;a;a;a,1,a,3"]
    path.write_text("\n".join(["tags,days,codes,age", *rows, *wrong]) + "\n")
    source = Csv(path=str(path), list_separator=";", null_values=("", "?"))

    done, scores = scored(exported_lists.saved_model, path, tmp_path, source=source)

    assert scores == expected
    assert done.rejected_by_reason == {
        "list_too_long": 1,
        "missing_in_list": 1,
        "not_an_integer": 1,
    }


def test_a_parquet_file_has_lists_of_any_kind(exported_lists, expected, tmp_path):
    path = tmp_path / "rows.parquet"
    types = {
        "tags": pa.large_list(pa.string()),
        "days": pa.list_(pa.int64()),
        "codes": pa.list_(pa.dictionary(pa.int32(), pa.string())),
        "age": pa.float64(),
    }
    schema = pa.schema([*types.items()])
    codes = pa.array([row["codes"] for row in ROWS], pa.list_(pa.string()))
    encoded = pa.ListArray.from_arrays(
        pa.array([0, 1, None, 1, 3], pa.int32()), codes.flatten().dictionary_encode()
    )
    plain = [pa.array([row[n] for row in ROWS], types[n]) for n in ("tags", "days")]
    ages = pa.array([row["age"] for row in ROWS], types["age"])
    pq.write_table(pa.Table.from_arrays([*plain, encoded, ages], schema=schema), path)
    _, scores = scored(exported_lists.saved_model, path, tmp_path)
    assert scores == expected


def test_pythons_values_are_lists(exported_lists, expected):
    model = skewless.load(exported_lists.saved_model)
    by_column = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    assert model.predict(by_column).column("score").to_pylist() == expected
    with pytest.raises(DataError, match="row 1 does not fit lists of BYTES: missing_in"):
        model.predict({**by_column, "tags": [["a"], ["a", None], None, []]})
    with pytest.raises(DataError, match="row 0 does not fit lists of INT: list_too_long"):
        model.predict({**by_column, "days": [[1] * 4, None, None, None]})
    with pytest.raises(DataError, match="a text is not a list"):
        model.predict({**by_column, "tags": ["a", "b", "c", "d"]})


def test_single_rows_have_lists(exported_lists, expected):
    with beam.Pipeline() as pipeline:
        results = (
            pipeline
            | beam.Create([ROWS], reshuffle=False)
            | beam.FlatMap(lambda rows: rows)
            | RunInference(RowHandler(exported_lists.saved_model, max_batch_duration_secs=None))
            | beam.Map(lambda result: result.inference["score"])
            | beam.combiners.ToList()
        )
        wanted = sorted(expected.expected)
        _ = results | beam.Map(lambda found: _same(sorted(found), wanted))


def _same(found, wanted):
    assert found == pytest.approx(wanted, rel=1e-5)
