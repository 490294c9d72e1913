"""A stream writes to folders apart from what it reads."""

import os

import pytest

from pipeline.stream_folders import check, takes_in
from schemas.errors import ConfigError


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    os.symlink("in", tmp_path / "link")
    (tmp_path / "file").write_text("mine")
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "folder", "ending", "taken"),
    [
        ("in/*.csv", "in", ".csv", True),
        ("in/*.csv", "link", ".csv", True),
        ("link/*.csv", "in", ".csv", True),
        ("./in/*", "in", ".parquet", True),
        ("in/*", "none/../in", ".parquet", True),
        ("i?/[a-z]*.csv", "in", ".csv", True),
        ("in/*0.csv", "in", ".csv", True),
        ("**/*.csv", "in/out", ".csv", True),
        ("in/**", "in/a/b", ".jsonl", True),
        ("in/**.csv", "in", ".csv", True),
        ("*/*.csv", "new", ".csv", True),
        ("gs://b/in/*.csv", "gs://b/in/", ".csv", True),
        ("in/*.csv", "in", ".parquet", False),
        ("in/*.csv", "in/out", ".csv", False),
        ("in/*.csv", "out", ".csv", False),
        ("in/day.csv", "in", ".csv", False),
        ("in/*rows.csv", "in", ".csv", False),
        ("in/**", "out", ".csv", False),
        ("gs://b/in/*.csv", "gs://b/out", ".csv", False),
    ],
)
def test_what_a_pattern_takes_in(place, pattern, folder, ending, taken):
    assert takes_in(pattern, folder, ending) is taken


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        ({"--output": ("file", ".csv")}, "--output is not a folder"),
        ({"--output": ("in", ".csv")}, r"the input 'in/\*\.csv' matches the output of --output"),
        ({"--output": ("m/1/x", ".csv")}, "--output is inside a folder of models"),
        (
            {"--output": ("out", ".parquet"), "--dead-letters": ("./out/", ".parquet")},
            "--output and --dead-letters are the same folder",
        ),
    ],
)
def test_what_a_stream_may_not_write_to(place, folders, words):
    with pytest.raises(ConfigError, match=words):
        check("in/*.csv", folders, ["m/1"])


def test_a_folder_is_not_a_pattern(place):
    (place / "in" / "a.csv").touch()
    with pytest.raises(ConfigError, match="the input 'in/' is a folder") as caught:
        check("in/", {"--output": ("out", ".csv")}, [])
    assert "'in/*.csv'" in str(caught.value.remedy)


def test_folders_apart_are_taken(place):
    check("in/*.csv", {"--output": ("in/out", ".csv"), "--dead-letters": ("d", ".parquet")}, ["m"])
    check(None, {"--output": ("in", ".jsonl")}, ["m"])
