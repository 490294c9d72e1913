"""Opening an Arrow or Parquet file never runs code in it, and happens in one module."""

import ast
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.arrow_files import open_arrow, open_parquet, read_parquet
from schemas.errors import DataError

ROOT = Path(__file__).parents[3]
THE_PLACE = "components/arrow_files.py"

# Functions that open a file, or return one that does, by full name.
OPENING = re.compile(
    r"pyarrow\.(parquet\.(core\.)?(Parquet(File|Dataset)|read_\w+)"
    r"|(ipc|feather)\.(open|read|RecordBatch(File|Stream)Reader)\w*"
    r"|ipc\.|feather\b|dataset\b|orc\b|deserialize\w*|fs\.)"
    r"|pandas\.read_(parquet|feather|orc|pickle)"
)
WRITING = re.compile(r"pyarrow\.ipc\.(new_\w+|IpcWriteOptions|RecordBatchFileReader)")


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.fixture
def hostile(tmp_path):
    """A Parquet and an Arrow file that create the file `marker` if pyarrow unpickles them."""
    metadata = {
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": pickle.dumps(Payload(tmp_path / "marker"), protocol=0),
    }
    inner = pa.field("inner", pa.int32(), metadata=metadata)
    for name, field in (("flat", inner), ("nested", pa.field("outer", pa.struct([inner])))):
        schema = pa.schema([field])
        batch = pa.RecordBatch.from_arrays([pa.nulls(1, field.type)], schema=schema)
        with pq.ParquetWriter(tmp_path / f"{name}.parquet", schema) as writer:
            writer.write_table(pa.Table.from_batches([batch]))
        with pa.ipc.new_file(str(tmp_path / f"{name}.arrow"), schema) as writer:
            writer.write_batch(batch)
    return tmp_path


READERS = {
    "parquet": "from components.arrow_files import open_parquet; open_parquet(PATH)",
    "arrow": "from components.parity.wire import read_arrays; read_arrays(PATH)",
}


@pytest.mark.parametrize("ending", READERS)
def test_a_hostile_file_is_refused_in_a_process_that_imports_a_reader_alone(hostile, ending):
    code = f"PATH = {str(hostile / f'flat.{ending}')!r}; {READERS[ending]}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert not (hostile / "marker").exists()
    assert done.returncode == 1
    assert "DataError: the file has a column of a pickled Python type" in done.stderr


# Newer pyarrow warns that it does not unpickle the type, before it is refused here.
@pytest.mark.filterwarnings("ignore:pickle-based deserialization:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:pyarrow.PyExtensionType is deprecated:FutureWarning")
@pytest.mark.parametrize("name", ["flat", "nested"])
def test_a_hostile_file_is_refused_with_its_name_and_what_to_do(hostile, name):
    path = str(hostile / f"{name}.parquet")
    with pytest.raises(DataError, match="pickled Python type") as caught:
        open_parquet(path)
    assert (caught.value.where, bool(caught.value.remedy)) == (path, True)
    with open(hostile / f"{name}.arrow", "rb") as file, pytest.raises(DataError, match="pickled"):
        open_arrow(file, "x.arrow")
    assert not (hostile / "marker").exists()


def test_extension_types_that_hold_no_code_are_opened(tmp_path):
    metadata = {"ARROW:extension:name": "geo.point", "ARROW:extension:metadata": b"{}"}
    schema = pa.schema([pa.field("place", pa.list_(pa.float64()), metadata=metadata)])
    pq.write_table(pa.Table.from_pylist([{"place": [1.0]}], schema), tmp_path / "x.parquet")
    assert open_parquet(str(tmp_path / "x.parquet")).read().num_rows == 1


def test_other_failures_stay_what_they_are(tmp_path):
    path = tmp_path / "x.arrow"
    path.write_bytes(b"ARROW1\0\0")
    with open(path, "rb") as file, pytest.raises((pa.ArrowInvalid, OSError)):
        open_arrow(file, str(path))
    with pytest.raises((pa.ArrowInvalid, OSError)):
        open_parquet(str(path))


def openings(source):
    """Return the full names of functions that a module uses to open Arrow files."""
    tree = ast.parse(source)
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    names = {*known.values()}
    names |= {n for node in ast.walk(tree) if (n := _dotted(node, known)) is not None}
    return sorted(n for n in names if OPENING.match(n) and not WRITING.fullmatch(n))


def _dotted(node, known):
    """Return the full name of an expression such as `pq.ParquetFile`."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not (parts and isinstance(node, ast.Name) and node.id in known):
        return None
    return ".".join([known[node.id], *reversed(parts)])


@pytest.mark.parametrize(
    "source",
    [
        "import pyarrow.parquet as pq\npq.ParquetFile(path)",
        "import pyarrow.parquet\npyarrow.parquet.read_table(path)",
        "from pyarrow import parquet\nparquet.read_schema(path)",
        "from pyarrow.parquet import ParquetFile",
        "import pyarrow as pa\npa.ipc.open_stream(file)",
        "from pyarrow import ipc\nipc.read_schema(file)",
        "import pyarrow.dataset as ds",
        "from pyarrow import feather",
        "import pandas as pd\npd.read_parquet(path)",
    ],
)
def test_an_opening_is_found_under_whatever_name(source):
    assert openings(source)


def test_writing_does_not_count_as_opening():
    assert not openings(
        "import pyarrow as pa\nimport pyarrow.parquet as pq\n"
        "pq.ParquetWriter(path, schema)\npa.ipc.new_file(path, schema)"
    )


def test_nothing_else_opens_a_file_of_arrows():
    folders = ("components", "pipeline", "schemas", "skewless", "benchmarks", "deploy")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    found = {
        str(path.relative_to(ROOT)): names
        for path in paths
        if (names := openings(path.read_text(encoding="utf-8")))
    }
    assert set(found) == {THE_PLACE}, f"open these by {THE_PLACE}: {found}"


@pytest.mark.parametrize("columns", [None, ["b"]])
def test_a_file_without_rows_is_an_empty_table_of_its_columns(tmp_path, columns):
    schema = pa.schema([("a", pa.int64()), ("b", pa.string())])
    with pq.ParquetWriter(tmp_path / "none.parquet", schema):
        pass
    read = read_parquet(str(tmp_path / "none.parquet"), columns)
    assert (read.num_rows, read.column_names) == (0, columns or ["a", "b"])
