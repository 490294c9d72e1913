"""An invalid metadata.sqlite is reported before heavy imports."""

import contextlib
import os
import sqlite3
import subprocess
import sys

import pytest

from pipeline import lineage
from schemas.errors import ConfigError


@pytest.fixture
def record(tmp_path):
    """A record with ML Metadata's table of versions, and more than a page of rows."""
    path = tmp_path / "metadata.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE MLMDEnv (schema_version INTEGER)")
        made.execute("CREATE TABLE Artifact (uri TEXT)")
        made.executemany("INSERT INTO Artifact VALUES (?)", [("x" * 500,)] * 100)
        made.commit()
    return path


def refused(path):
    with pytest.raises(ConfigError, match="the record of earlier runs cannot be read") as caught:
        lineage.check(path)
    assert caught.value.where == str(path)
    assert caught.value.exit_code == 2
    return caught.value


def test_a_record_none_and_an_empty_one_are_fine(record, tmp_path):
    lineage.check(record)
    lineage.check(tmp_path / "none")
    (tmp_path / "empty").touch()
    lineage.check(tmp_path / "empty")


@pytest.mark.parametrize("content", [b"garbage\n" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_garbage_is_refused_and_left_as_it_is(record, content):
    record.write_bytes(content)
    assert "move it away" in refused(record).remedy
    assert record.read_bytes() == content


def test_garbage_in_the_middle_is_refused(record):
    content = bytearray(record.read_bytes())
    content[12_000:20_000] = b"\xff" * 8_000
    record.write_bytes(content)
    assert "move it away" in refused(record).remedy


def test_a_record_that_was_cut_off_is_refused(record):
    os.truncate(record, 20_000)
    refused(record)


def test_another_program_s_file_is_refused(tmp_path):
    path = tmp_path / "metadata.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE Songs (title TEXT)")
    assert "it has no table MLMDEnv" in refused(path).what


def test_a_folder_in_its_place_is_not_called_damaged(tmp_path):
    path = tmp_path / "metadata.sqlite"
    path.mkdir()
    assert "can be read and written" in refused(path).remedy


def test_checking_imports_nothing_heavy(record):
    code = (
        "import sys; from pathlib import Path; from pipeline import lineage;"
        f"lineage.check(Path({str(record)!r}));"
        "print(sorted({'tensorflow', 'ml_metadata', 'apache_beam', 'tfx'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
