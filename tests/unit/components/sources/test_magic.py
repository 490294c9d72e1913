"""Other formats are recognized by their first bytes, whatever the names; text remains text."""

import bz2
import gzip
import io
import lzma
import sqlite3
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest

from components.sources.byte_source import ByteSource
from components.sources.magic import HEAD_BYTES, kind_of
from schemas.errors import DataError
from tests.tfrecord_files import framed

TEXT = "id,fare,company\n1,2.5,Crédit\n2,3.5,日本\n"
TABLE = pa.table({"id": [1, 2], "fare": [2.5, 3.5]})


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return file.getvalue()


def written(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def stream(file):
    with pa.ipc.new_stream(file, TABLE.schema) as writer:
        writer.write_table(TABLE)


def tarred(file):
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("data.csv"))


def database(tmp_path):
    path = tmp_path / "data.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("create table rows (id integer)")
    connection.close()
    return path.read_bytes()


KINDS = {
    "packed with gzip": gzip.compress(TEXT.encode(), mtime=0),
    "packed with bzip2": bz2.compress(TEXT.encode()),
    "packed with xz": lzma.compress(TEXT.encode()),
    "packed with zstd": pa.compress(TEXT.encode(), "zstd", asbytes=True),
    "a zip archive": zipped("data.csv"),
    "an Excel workbook": zipped("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"),
    "a tar archive": written(tarred),
    "a Parquet file": written(lambda file: pq.write_table(TABLE, file)),
    "an Arrow (Feather) file": written(lambda file: feather.write_feather(TABLE, file)),
    "an Arrow stream": written(stream),
    "an ORC file": written(lambda file: orc.write_table(TABLE, file)),
    "an Avro file": b"Obj\x01\x04\x14avro.codec\x08null\x16avro.schema",
    "a TFRecord file": framed(b"a record"),
    "an OpenDocument spreadsheet": zipped("a")[:30]
    + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
    "text in UTF-16": TEXT.encode("utf-16"),
    "text in UTF-16LE": TEXT.encode("utf-16-le"),
    "text in UTF-16BE": TEXT.encode("utf-16-be"),
    "text in UTF-32": TEXT.encode("utf-32"),
    "text in UTF-32LE": TEXT.encode("utf-32-le"),
    "text in UTF-32BE": TEXT.encode("utf-32-be"),
    "a web page": b"\n<!DOCTYPE html>\n<title>Log in</title>",
    "XML": b"<?xml version='1.0'?><rows/>",
    "JSON": b'{"id": 1, "fare": 2.5}\n',
    "a JSON array": b'[\n  {"id": 1, "fare": 2.5}\n]\n',
    "a PDF file": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_is_known_by_its_first_bytes(name):
    found = kind_of(KINDS[name][:HEAD_BYTES])
    assert found is not None
    assert (found.name, bool(found.remedy)) == (name, True)


def named(head):
    found = kind_of(head)
    return None if found is None else found.name


def test_older_files_are_known_too(tmp_path):
    assert named(database(tmp_path)) == "an SQLite database"
    assert named(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") == "an Excel workbook"
    feather_1 = written(lambda file: feather.write_feather(TABLE, file, version=1))
    assert named(feather_1) == "a Feather file of version 1"
    assert named(b"\xfe\xff" + TEXT.encode("utf-16-be")) == "text in UTF-16"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("cp1252", "replace"),
        b"PAR1,fare\n1,2\n",
        b"ORC,Obj\n1,2\n",
        b"PK,BZh9\n1,2\n",
        b"BZh,fare\n",
        b"SQLite format 3,fare\n",
        b'"{id}",fare\n',
        b"[id],<b>\n1,2\n",
        b"id\x01fare\n1\x012\n",
        b"id,fa\0re\n1,2\n",
        b"id,fare\n1,\0\0\0\0\0\0\n",
    ],
)
def test_text_is_not_another_format(head):
    assert kind_of(head) is None


@pytest.fixture
def refusal(tmp_path):
    def _refusal(data, name):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(DataError) as caught:
            ByteSource(str(path))
        assert caught.value.where == str(path)
        assert caught.value.remedy
        return caught.value

    return _refusal


@pytest.mark.parametrize("name", KINDS)
def test_a_file_named_csv_is_refused_with_what_it_is_and_what_to_do(refusal, name):
    error = refusal(KINDS[name], "data.csv")
    assert error.what == f"the file is {name}, not CSV"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (TEXT.encode(), "the file is text, not packed by gzip as its name says"),
        (
            KINDS["a Parquet file"],
            "the file is a Parquet file, not packed by gzip as its name says",
        ),
        (TEXT.encode("utf-16"), "the file is text in UTF-16, not packed by gzip as its name says"),
        (
            gzip.compress(KINDS["a Parquet file"], mtime=0),
            "the file is a Parquet file inside gzip, not CSV",
        ),
        (
            gzip.compress(TEXT.encode("utf-16"), mtime=0),
            "the file is text in UTF-16 inside gzip, not CSV",
        ),
    ],
)
def test_a_file_named_gz_is_gzipped_text(refusal, data, what):
    assert refusal(data, "data.csv.gz").what == what


def test_a_gzipped_file_that_is_cut_off_is_to_be_copied_again(tmp_path):
    path = tmp_path / "data.csv.gz"
    path.write_bytes(KINDS["packed with gzip"][:-12])
    with pytest.raises(DataError, match="cannot be read") as caught, ByteSource(str(path)) as file:
        file.read(1 << 20)
    assert "copy it again" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.csv", TEXT.encode()), ("a.csv.gz", gzip.compress(TEXT.encode(), mtime=0))],
)
def test_text_is_read_from_its_start(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with ByteSource(str(tmp_path / name)) as source:
        assert source.read(1 << 20) == TEXT.encode()
        assert (source.size, source.consumed) == (len(data), len(data))
