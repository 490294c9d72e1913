"""Looks for new files: each is returned once, for as long as the caller asks."""

import math
import os
import time

import pytest

from components import files
from components.score.looks import MAX_FILES, look_for_files
from schemas.errors import StoreError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.csv").touch()
    return tmp_path


def looks(folder, **options):
    """Look without a pause, and without an end unless one is given."""
    return look_for_files(str(folder / "*.csv"), **{"seconds": 0.0, **options})


def names(found):
    return [os.path.basename(entry.path) for entry in found]


def test_a_file_is_given_once_whatever_becomes_of_it(folder):
    found = looks(folder)
    assert names(next(found)) == ["a.csv"]
    (folder / "a.csv").write_text("changed")
    (folder / "b.csv").touch()
    assert names(next(found)) == ["b.csv"]
    (folder / "a.csv").unlink()
    (folder / "c.csv").touch()
    assert names(next(found)) == ["c.csv"]
    (folder / "a.csv").touch()  # such as a folder that was missing for a moment
    (folder / "d.csv").touch()
    assert names(next(found)) == ["d.csv"]


def test_a_file_that_is_being_written_under_a_hidden_name_waits(folder):
    (folder / ".b.csv").touch()
    found = looks(folder)
    assert names(next(found)) == ["a.csv"]
    (folder / ".b.csv").rename(folder / "b.csv")
    assert names(next(found)) == ["b.csv"]


def test_a_file_that_links_lead_to_is_given_once(folder):
    (folder / "b.csv").symlink_to(folder / "a.csv")
    found = looks(folder)
    assert names(next(found)) == ["a.csv"]
    (folder / "c.csv").symlink_to(folder / "a.csv")
    (folder / "d.csv").touch()
    assert names(next(found)) == ["d.csv"]


def test_it_looks_once_more_when_the_time_is_over(folder):
    found = looks(folder, until=-math.inf)
    assert names(next(found)) == ["a.csv"]
    assert list(found) == []
    found = looks(folder, seconds=60.0, until=time.monotonic() + 0.05)
    assert names(next(found)) == ["a.csv"]
    (folder / "b.csv").touch()
    assert [names(part) for part in found] == [["b.csv"]]


def test_thousands_of_files_come_in_parts(tmp_path):
    for number in range(2 * MAX_FILES + 1):
        (tmp_path / f"{number:05}.csv").touch()
    parts = list(looks(tmp_path, until=-math.inf))
    assert [len(part) for part in parts] == [MAX_FILES, MAX_FILES, 1]
    assert [name for part in parts for name in names(part)] == sorted(os.listdir(tmp_path))


def test_a_look_does_not_touch_files_that_were_given(folder, monkeypatch):
    found = looks(folder)
    next(found)
    (folder / "b.csv").touch()
    touched: list[str] = []
    stat = os.stat

    def noted(path, **options):
        touched.append(path)
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", noted)
    next(found)
    assert str(folder / "a.csv") not in touched


def test_a_file_that_disappears_during_a_look_is_skipped(folder, monkeypatch):
    (folder / "b.csv").touch()
    isfile = os.path.isfile

    def gone(path):
        there = isfile(path)
        if there and path.endswith("a.csv"):
            os.remove(path)
        return there

    monkeypatch.setattr(os.path, "isfile", gone)
    assert names(next(looks(folder))) == ["b.csv"]


def test_a_store_that_does_not_answer_is_asked_again(folder, monkeypatch):
    answers = iter([[files.Entry("a", 1, 0)], StoreError("no answer"), [files.Entry("b", 1, 0)]])

    def find(pattern, without):
        answer = next(answers)
        if isinstance(answer, StoreError):
            raise answer
        return answer

    monkeypatch.setattr(files, "find", find)
    warnings: list[str] = []
    found = look_for_files("gs://b/*", seconds=0.0, warn=warnings.append)
    assert names(next(found)) == ["a"]
    assert names(next(found)) == ["b"]
    assert warnings == ["no answer: gs://b/*; the next look tries again"]


def test_a_store_that_answers_no_first_look_is_an_error(monkeypatch):
    def find(pattern, without):
        raise StoreError("no such bucket")

    monkeypatch.setattr(files, "find", find)
    with pytest.raises(StoreError, match="no such bucket"):
        next(look_for_files("gs://b/*", seconds=0.0))


def test_a_check_that_raises_ends_the_looks(folder):
    (folder / "a.csv").touch()
    asked: list[int] = []

    def check():
        asked.append(len(asked))
        if len(asked) == 2:
            raise KeyboardInterrupt

    found = looks(folder, check=check)
    assert names(next(found)) == ["a.csv"]
    with pytest.raises(KeyboardInterrupt):
        next(found)
