"""`skewless init` writes two files from a table, and overwrites nothing unasked."""

import contextlib
import sqlite3
import subprocess
import sys
from typing import Any

import pytest

from pipeline import cli
from pipeline.init import _name
from schemas.catalog import load
from schemas.sources.sql import Sql


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.csv"
    lines = [f"{i},{i % 7},{'left' if i % 3 else 'stayed'}" for i in range(300)]
    path.write_text("\n".join(["id;not a number,visits,fate", *lines]) + "\n")
    return path


def test_it_writes_files_that_are_checked(rows, tmp_path, capsys):
    folder = tmp_path / "shop"
    assert cli.main(["init", str(rows), "--label", "fate", "-o", str(folder)]) == 0

    dataset = load(str(folder))
    assert dataset.spec.name == "shop"
    assert dataset.source_patterns[0] == str(folder / ".." / "rows.csv")
    shown = capsys.readouterr().out
    assert "all 300 rows of 3 columns, 1 file(s)" in shown
    assert "label      fate: 'stayed' (33.33%) or 'left'" in shown
    assert f"skewless run {folder}" in shown


def test_it_overwrites_only_with_force(rows, tmp_path, capsys):
    (tmp_path / "pipeline.yaml").write_text("name: mine\n")
    command = ["init", str(rows), "--label", "fate", "-o", str(tmp_path)]
    assert cli.main(command) == 2
    assert "already has pipeline.yaml" in capsys.readouterr().err
    assert (tmp_path / "pipeline.yaml").read_text() == "name: mine\n"

    assert cli.main([*command, "--force"]) == 0
    assert load(str(tmp_path)).spec.features


@pytest.mark.parametrize(
    ("table", "label", "code", "message"),
    [
        ("absent.csv", "fate", 3, "no file matches"),
        ("rows.csv", "fat", 2, "there is no column 'fat'; did you mean 'fate'?"),
        ("empty.csv", "fate", 3, "the file is empty"),
        ("header.csv", "fate", 3, "the table has no rows"),
    ],
)
def test_errors_say_what_to_do(rows, tmp_path, capsys, table, label, code, message):
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "header.csv").write_text("a,fate\n")
    output = str(tmp_path / "out")
    assert cli.main(["init", str(tmp_path / table), "--label", label, "-o", output]) == code
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("with_eval", [True, False])
def test_files_can_be_the_splits(rows, tmp_path, with_eval):
    for name in ("valid.csv", "test.csv"):
        (tmp_path / name).write_text(rows.read_text())
    command = ["init", str(rows), "--label", "fate", "-o", str(tmp_path / "shop")]
    command += ["--test", str(tmp_path / "test.csv")]
    command += ["--eval", str(tmp_path / "valid.csv")] if with_eval else []
    assert cli.main(command) == 0

    dataset = load(str(tmp_path / "shop"))
    split: Any = dataset.spec.splits
    assert (split.by, split.test) == ("file", ("test.csv",))
    assert (split.eval, bool(split.key)) == (("valid.csv",) if with_eval else (), not with_eval)
    assert len(dataset.source_patterns) == 2 + with_eval


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--eval", "a/valid.csv"], "--eval is given without --test"),
        (["--test", "other/rows.csv"], "two files have the same name"),
    ],
)
def test_files_that_cannot_be_splits(rows, tmp_path, capsys, options, message):
    command = ["init", str(rows), "--label", "fate", "-o", str(tmp_path / "x"), *options]
    assert cli.main(command) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("data/2024 trips (all).csv.gz", "trips_all"),
        ("parts/*.parquet", "parts"),
        ("gs://bucket/orders.csv", "orders"),
        ("7.csv", "table"),
    ],
)
def test_pipelines_are_named_after_tables(path, name):
    assert _name(path) == name


def test_the_result_of_a_query_is_a_table(tmp_path, capsys):
    with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as made:
        made.execute("CREATE TABLE visits (visits, fate)")
        values = [(i % 7, "left" if i % 3 else "stayed") for i in range(300)]
        made.executemany("INSERT INTO visits VALUES (?, ?)", values)
        made.commit()
    query = 'SELECT visits + 1 AS "one more", fate\nFROM visits -- of all\nWHERE visits > 0'
    folder, url = tmp_path / "shop", f"sqlite:///{tmp_path}/shop.db"
    command = ["init", url, "--query", query, "--label", "fate", "-o", str(folder)]
    assert cli.main(command) == 0
    assert "of 2 columns" in capsys.readouterr().out
    source = load(str(folder)).spec.source
    assert isinstance(source, Sql)
    assert source.query == query
    assert cli.main([*command, "--force", "--test", "other.csv"]) == 2
    assert "a table of a database is given with --test" in capsys.readouterr().err


def test_it_loads_neither_tensorflow_nor_beam(rows, tmp_path):
    program = """
import sys
from pipeline import cli
assert cli.main(sys.argv[1:]) == 0
print([name for name in ("tensorflow", "apache_beam", "tfx") if name in sys.modules])
"""
    command = [sys.executable, "-c", program, "init", str(rows), "--label", "fate"]
    command += ["-o", str(tmp_path / "x")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
