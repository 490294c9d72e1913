"""`skewless rejects -o` writes what a run rejected, to be mended and read again."""

import json

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather, orc

from components.ingest.rejects import RejectWriter, publish_rejects
from components.sources.protocol import Selection, open_reader
from components.sources.rejects import Reject, RejectReason, as_json
from pipeline import cli, lineage
from pipeline.summary import Summary
from schemas.columns import Column
from schemas.sources.arrow import Arrow
from schemas.sources.avro import Avro
from schemas.sources.csv import Csv
from schemas.sources.jsonl import JsonLines
from schemas.sources.orc import Orc
from schemas.sources.parquet import Parquet
from schemas.sources.tfrecord import TfRecord
from tests.tfrecord_files import example, framed

COLUMNS = (Column("n", "INT", serving=True), Column("t", "BYTES", serving=True))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that makes a pipeline's folder of rejects; returns the folder."""

    def make(rejects, options):
        examples = str(tmp_path / "examples")
        with RejectWriter(str(tmp_path)) as writer:
            writer.write(rejects)
        publish_rejects([writer.path] if writer.path else [], examples)
        summary = Summary(
            pipeline="shop",
            run_id="1",
            status="failed",
            seconds=1.0,
            stages=(),
            log="run.log",
            counts={"records_read": 9},
            rejects=f"{examples}/rejects",
        )
        folder = tmp_path / "shop"
        (folder / "runs/1").mkdir(parents=True)
        summary.write(folder / "runs/1")
        parameters = {"source": options.model_dump_json()}
        monkeypatch.setattr(lineage, "latest_parameters", lambda *given: parameters)
        return str(folder)

    return make


def read(path, options):
    """Return the rows and the rejects of a file."""
    reader = open_reader(options, Selection(COLUMNS))
    blocks = list(reader.read(reader.parts(path)[0]))
    rejects = [reject for block in blocks for reject in block.rejects]
    return [row for block in blocks for row in block.columns.to_pylist()], rejects


def test_rejects_of_csv_are_mended_and_read_again(tmp_path, run):
    options = Csv(path="a.csv", delimiter=";")
    source = tmp_path / "a.csv"
    long = b"y" * 3_000
    source.write_bytes(
        b'more;n;t\r\n1;1;fine\r\n2;two;"a;\n""b"""\r\n3;3\r\n4;4;caf\xe9\r\n5;x;' + long
    )
    rows, rejects = read(str(source), options)
    assert (len(rows), len(rejects)) == (1, 4)
    output = tmp_path / "again.csv"
    assert cli.main(["rejects", run(rejects, options), "-o", str(output)]) == 0
    written = output.read_bytes()
    assert written.splitlines()[0] == b"more;n;t"
    assert read(str(output), options)[0] == []
    mended = written.replace(b"2;two", b"2;2").replace(b"3;3\n", b"3;3;c\n")
    output.write_bytes(mended.replace(b"\xe9", b"\xc3\xa9").replace(b"5;x", b"5;5"))
    rows, rejects = read(str(output), options)
    assert [row["n"] for row in rows] == [2, 3, 4, 5]
    assert [row["t"] for row in rows] == ['a;\n"b"', "c", "café", long.decode()]
    assert rejects == []


def test_rejects_without_a_header_keep_their_encoding(tmp_path, run):
    options = Csv(path="a.csv", header=False, names=("n", "t"), encoding="latin-1")
    source = tmp_path / "a.csv"
    source.write_bytes(b"1,caf\xe9\nx,\xfcber\n")
    rows, rejects = read(str(source), options)
    assert rows == [{"n": 1, "t": "café"}]
    output = tmp_path / "again.csv"
    assert cli.main(["rejects", run(rejects, options), "-o", str(output)]) == 0
    assert output.read_bytes() == b"x,\xfcber\n"


def test_rejects_of_json_lines_are_written_as_they_were(tmp_path, run):
    lines = [b'{"n": "x",  "t": "a"}', b"[1]", b'{"n": 1, "t"']
    rejects = [
        Reject("a.jsonl", 1, "n", "x", RejectReason.NOT_AN_INTEGER, lines[0]),
        Reject("a.jsonl", 4, None, None, RejectReason.NOT_AN_OBJECT, lines[1]),
        Reject("a.jsonl", 9, None, None, RejectReason.NOT_JSON, lines[2]),
    ]
    output = tmp_path / "again.jsonl"
    assert cli.main(["rejects", run(rejects, JsonLines(path="a")), "-o", str(output)]) == 0
    assert output.read_bytes().splitlines() == lines


FORMATS = {
    "parquet": (Parquet, pq.write_table, pq.read_table),
    "arrow": (Arrow, feather.write_feather, lambda path: pa.ipc.open_file(str(path)).read_all()),
    "orc": (Orc, orc.write_table, orc.read_table),
}
TYPED = pa.table({"n": [1.5, 2.0, float("inf")], "t": ["a", "c", None], "more": [[1], [2], []]})


@pytest.mark.parametrize("kind", FORMATS)
def test_rejects_of_typed_files_are_written_as_they_were(tmp_path, run, kind, capsys):
    options, write, read_back = FORMATS[kind]
    source = tmp_path / f"a.{kind}"
    write(TYPED, str(source))
    _, rejects = read(str(source), options(path=str(source)))
    output = tmp_path / f"again.{kind}"
    assert cli.main(["rejects", run(rejects, options(path="a")), "-o", str(output)]) == 0
    assert read_back(output).to_pylist() == TYPED.take([0, 2]).to_pylist()
    assert "as they were in the source" in capsys.readouterr().out


AVRO = {
    "type": "record",
    "name": "row",
    "fields": [
        {"name": "n", "type": ["null", "double"]},
        {"name": "t", "type": ["null", "string"]},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    ],
}


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_rejects_of_avro_are_written_byte_by_byte(tmp_path, run, codec, capsys):
    numbers = [1.5, 2.0, float("inf"), 3.0]
    rows = [{"n": n, "t": "café", "day": day} for day, n in enumerate(numbers)]
    source, output = tmp_path / "a.avro", tmp_path / "again.avro"
    with open(source, "wb") as file:
        fastavro.writer(file, AVRO, rows, codec=codec)
    _, rejects = read(str(source), Avro(path=str(source)))
    assert [reject.line for reject in rejects] == [1, 3]
    assert cli.main(["rejects", run(rejects, Avro(path="a")), "-o", str(output)]) == 0
    with open(source, "rb") as read_first, open(output, "rb") as written:
        first, again = fastavro.reader(read_first), fastavro.reader(written)
        assert again.writer_schema == first.writer_schema
        assert list(again) == list(first)[::2]
    assert "as they were in the source" in capsys.readouterr().out


def test_rejects_of_avro_files_with_other_schemas_are_json_lines(tmp_path, run):
    rejects = []
    for number, name in enumerate(["a", "b"]):
        schema = AVRO | {"name": f"row{number}"}
        with open(tmp_path / f"{name}.avro", "wb") as file:
            fastavro.writer(file, schema, [{"n": 1.5, "t": "a", "day": 1}])
        rejects += read(str(tmp_path / f"{name}.avro"), Avro(path="a"))[1]
    output = tmp_path / "again.jsonl"
    assert cli.main(["rejects", run(rejects, Avro(path="a")), "-o", str(output)]) == 0
    assert len(output.read_text().splitlines()) == 2


def test_rejects_of_tfrecords_are_written_byte_by_byte(tmp_path, run, capsys):
    good = example({"n": [2], "t": [b"a"]})
    records = [example({"n": [b"x"], "t": [b"\xff"]}), b"\xffnot one\n", good, good]
    source, output = tmp_path / "a.tfrecord", tmp_path / "again.tfrecord"
    source.write_bytes(b"".join(map(framed, records)))
    rows, rejects = read(str(source), TfRecord(path=str(source)))
    assert len(rows) == 2
    assert cli.main(["rejects", run(rejects, TfRecord(path="a")), "-o", str(output)]) == 0
    assert output.read_bytes() == b"".join(map(framed, records[:2]))
    assert "wrote 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    "change", [lambda path: path.unlink(), lambda path: pq.write_table(TYPED.slice(1), path)]
)
def test_rejects_of_files_that_changed_are_written_as_json_lines(tmp_path, run, change, capsys):
    source = tmp_path / "a.parquet"
    pq.write_table(TYPED, source)
    options = Parquet(path=str(source))
    _, rejects = read(str(source), options)
    change(source)
    output = tmp_path / "again.jsonl"
    assert cli.main(["rejects", run(rejects, options), "-o", str(output)]) == 0
    records = [json.loads(line) for line in output.read_text().splitlines()]
    assert records == [{"n": 1.5, "t": "a"}, {"n": "inf", "t": None}]
    assert "whose files were removed or have changed" in capsys.readouterr().out


def test_bytes_that_no_text_holds_are_counted(tmp_path, run, capsys):
    rejects = [
        Reject("a", 1, None, None, RejectReason.NOT_AN_EXAMPLE, b"\xff\n"),
        Reject("a", 2, "n", "b", RejectReason.NOT_AN_INTEGER, as_json({"n": ["b"]})),
    ]
    output = tmp_path / "again.jsonl"
    assert cli.main(["rejects", run(rejects, TfRecord(path="a")), "-o", str(output)]) == 0
    assert output.read_text() == '{"n": ["b"]}\n'
    assert "1 of them are not tf.Examples" in capsys.readouterr().out


@pytest.fixture
def mixed(run):
    """A pipeline's folder with rejects of three kinds."""
    return run(
        [
            Reject("a.jsonl", 1, "n", "x", RejectReason.NOT_AN_INTEGER, b'{"n": "x"}'),
            Reject("a.jsonl", 2, "m", "y", RejectReason.NOT_AN_INTEGER, b'{"m": "y"}'),
            Reject("b.jsonl", 1, None, None, RejectReason.NOT_JSON, b"{"),
        ],
        JsonLines(path="*"),
    )


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        (["--reason", "not_json"], ["{"]),
        (["--reason", "not_an_integer", "--column", "m"], ['{"m": "y"}']),
        (["--source", "a.jsonl", "--source", "b.jsonl", "--column", "n"], ['{"n": "x"}']),
    ],
)
def test_records_are_chosen(tmp_path, mixed, options, lines):
    output = tmp_path / "some.jsonl"
    assert cli.main(["rejects", mixed, "-o", str(output), *options]) == 0
    assert output.read_text().splitlines() == lines


def test_an_unknown_choice_is_named(mixed, capsys):
    assert cli.main(["rejects", mixed, "--reason", "not_an_integr"]) == 2
    assert "did you mean 'not_an_integer'?" in capsys.readouterr().err


def test_an_existing_file_is_kept_without_force(tmp_path, mixed, capsys):
    output = tmp_path / "some.jsonl"
    output.write_text("mine")
    assert cli.main(["rejects", mixed, "-o", str(output)]) == 2
    assert (output.read_text(), "--force" in capsys.readouterr().err) == ("mine", True)
    assert cli.main(["rejects", mixed, "-o", str(output), "--force"]) == 0
    assert len(output.read_text().splitlines()) == 3


def test_files_with_different_headers_are_written_one_by_one(tmp_path, run, capsys):
    rejects = []
    for name, header in (("a.csv", "n,t"), ("b.csv", "t,n")):
        (tmp_path / name).write_text(f"{header}\nx,y\n")
        path = str(tmp_path / name)
        rejects.append(Reject(path, 2, "n", "x", RejectReason.NOT_AN_INTEGER, b"x,y"))
    folder, output = run(rejects, Csv(path="*.csv")), tmp_path / "some.csv"
    assert cli.main(["rejects", folder, "-o", str(output)]) == 3
    assert "different headers" in capsys.readouterr().err
    assert cli.main(["rejects", folder, "-o", str(output), "--source", rejects[1].source]) == 0
    assert output.read_text() == "t,n\nx,y\n"


def test_nothing_to_write_is_an_error(tmp_path, run, capsys):
    folder = run([], Csv(path="a.csv"))
    assert cli.main(["rejects", folder, "-o", str(tmp_path / "a")]) == 3
    assert "there are no such records to write" in capsys.readouterr().err
