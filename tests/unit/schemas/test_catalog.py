"""Datasets are found and read; missing files and folders give clear errors."""

import os
import subprocess
import sys

import pytest

from schemas import catalog
from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.tasks.binary import Binary, BinaryThresholds, Exceeds
from schemas.tasks.options import Bound
from schemas.treatments.cross import Cross
from schemas.treatments.piecewise_linear import PiecewiseLinear
from schemas.treatments.quantile_buckets import QuantileBuckets
from schemas.treatments.vocabulary import Vocabulary
from schemas.treatments.z_score import ZScore
from tests.unit.schemas.conftest import refusal


def test_the_taxi_dataset_is_whole():
    taxi = catalog.load("taxi")
    assert taxi.spec.name == taxi.folder.name == "taxi"
    assert [c.name for c in taxi.columns if not c.serving] == ["tips"]
    kinds = {c.name: c.kind for c in taxi.columns}
    assert len(kinds) == 18
    assert (kinds["fare"], kinds["trip_start_hour"], kinds["company"]) == ("FLOAT", "INT", "BYTES")
    assert isinstance(taxi.spec.label, Binary)
    assert taxi.spec.label.exceeds == Exceeds(column="tips", fraction=0.2, of="fare")
    assert taxi.spec.splits.shares == (0.7, 0.15, 0.15)
    by_column = {f.column: f.treatments for f in taxi.spec.features}
    assert by_column["fare"] == (ZScore(log1p=True), PiecewiseLinear())
    assert by_column["company"] == (Vocabulary(top_k=1000, min_count=20, oov_buckets=10),)
    assert by_column["trip_start_hour"] == (ZScore(), QuantileBuckets(buckets=10), Vocabulary())
    assert taxi.spec.crosses[0] == Cross(columns=("payment_type", "company"), buckets=500)
    assert isinstance(taxi.spec.evaluation.thresholds, BinaryThresholds)
    assert taxi.spec.evaluation.thresholds.auc == Bound(min=0.93, max_loss=0.005)
    assert "tips" not in taxi.spec.feature_columns
    # the key contains nothing of the outcome
    assert "tips" not in taxi.spec.splits.columns
    assert 'not_in_environment: "SERVING"' in taxi.schema_text


def test_a_users_folder_is_read_by_its_path(folder, monkeypatch):
    dataset = catalog.load(str(folder))
    assert dataset.columns == (
        Column("fare", "FLOAT", True),
        Column("hour", "INT", True),
        Column("payment", "BYTES", True),
        Column("tips", "FLOAT", False),
    )
    assert dataset.source_patterns[0] == str(folder.path / "data.csv")
    assert dataset.spec.features[1].treatments == (Vocabulary(), ZScore())
    assert dataset.spec.features[2].treatments == (Vocabulary(),)
    assert dataset.spec.feature_columns == ("fare", "hour", "payment")
    monkeypatch.chdir(folder.path.parent)
    assert catalog.load(folder.path.name) == dataset


def test_a_missing_file_is_named(folder):
    folder.schema.unlink()
    error = refusal(folder)
    assert (error.what, error.where) == ("schema.pbtxt is missing", str(folder))
    assert "taxi/schema.pbtxt" in error.remedy


def test_a_folder_without_pipeline_yaml_is_refused_with_the_expected_files(folder):
    folder.pipeline.unlink()
    error = refusal(folder)
    assert "has no pipeline.yaml" in error.what
    assert error.expected == "a folder with pipeline.yaml and schema.pbtxt"


def test_a_folder_in_a_files_place_is_a_config_error(folder):
    folder.schema.unlink()
    folder.schema.mkdir()
    assert refusal(folder).what.startswith("schema.pbtxt cannot be read: ")


@pytest.mark.parametrize("file", ["pipeline", "schema"])
def test_text_that_is_not_utf_8_is_named(folder, file):
    path = getattr(folder, file)
    path.write_bytes(b"# \n" + "name: é".encode("latin-1"))
    error = refusal(folder)
    assert error.what.startswith(f"{path.name} is not UTF-8: ")
    assert error.where == f"{path}:2"
    assert "iconv -f latin1" in error.remedy


@pytest.mark.parametrize("file", ["pipeline", "schema"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_text_with_a_byte_order_mark_and_windows_line_ends_is_read(folder, file, encoding):
    expected = catalog.load(str(folder))
    path = getattr(folder, file)
    path.write_bytes(path.read_text().replace("\n", "\r\n").encode(encoding))
    assert catalog.load(str(folder)) == expected


@pytest.mark.parametrize("file", ["pipeline", "schema"])
def test_utf_16_without_a_mark_is_named(folder, file):
    path = getattr(folder, file)
    path.write_bytes(path.read_text().encode("utf-16-le"))
    error = refusal(folder)
    assert error.what == f"{path.name} is not UTF-8: it has NUL characters"
    assert "iconv -f UTF-16LE" in error.remedy


@pytest.mark.parametrize(("file", "most"), [("pipeline", 1 << 20), ("schema", 16 << 20)])
def test_a_file_that_is_far_too_large_is_not_read(folder, file, most):
    path = getattr(folder, file)
    path.write_bytes(b"#" * (most + 1))
    assert refusal(folder).what == f"{path.name} has more than {most:,} bytes"


@pytest.mark.parametrize("name", ["taxy", "Taxi", "tax"])
def test_an_unknown_dataset_is_answered_with_the_nearest(name):
    assert f"there is no dataset {name!r}; did you mean 'taxi'?" in refusal(name).what


@pytest.mark.parametrize("name", ["", "no-such", "a" * 5000, "a\0b", "/no/such/folder"])
def test_a_name_that_is_nowhere_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if name:
        assert "one of: " in refusal(name).what
    assert "pipeline.yaml" in refusal(name).expected


@pytest.mark.parametrize(
    ("path", "resolved"),
    [
        ("data.csv", "FOLDER/data.csv"),
        ("/data/*.csv", "/data/*.csv"),
        ("s3://bucket/data.csv", "s3://bucket/data.csv"),
        ("package://schemas/taxi/x.csv", os.path.join(catalog.SHIPPED, "taxi/x.csv")),
    ],
)
def test_a_source_is_resolved(path, resolved, tmp_path):
    assert catalog.resolve_path(path, tmp_path) == resolved.replace("FOLDER", str(tmp_path))


@pytest.mark.parametrize(
    "path", ["package://no_such_package/x.csv", "package:///x.csv", "package://no_such.part/x"]
)
def test_a_source_in_a_package_that_is_not_there_is_refused(path, tmp_path):
    with pytest.raises(ConfigError, match="is not installed") as caught:
        catalog.resolve_path(path, tmp_path)
    assert caught.value.where == path


def test_reading_a_dataset_imports_nothing_heavy():
    code = (
        "import sys; from schemas import catalog, layout; catalog.load('taxi');"
        "print(sorted({'tensorflow', 'pyarrow', 'numpy', 'apache_beam', 'tfx', 'keras'}"
        ".intersection(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
