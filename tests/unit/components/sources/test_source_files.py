"""Source files are found by path or pattern; the error explains why there are none."""

import os

import pytest

from components.sources.source_files import source_files
from schemas.errors import DataError


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("d/a.csv.gz", "d/b.csv.gz", "d/notes.txt", "rows.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    os.symlink("gone.csv", tmp_path / "link.csv")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def test_a_pattern_names_files_in_order(place):
    assert source_files("d/*.gz", named="d/*.gz") == ["d/a.csv.gz", "d/b.csv.gz"]


@pytest.mark.parametrize(
    ("path", "what", "remedy"),
    [
        ("d", "'d' is a folder", "name the files in it, such as 'd/*.csv.gz'"),
        ("d/", "'d/' is a folder", "name the files in it, such as 'd/*.csv.gz'"),
        ("empty", "no file matches 'empty': it is an empty folder", "correct it"),
        ("pipe", "no file matches 'pipe': it is not a regular file", "correct it"),
        (
            "link.csv",
            "no file matches 'link.csv': it is a link to gone.csv, which does not exist",
            "correct it",
        ),
        ("Rows.CSV", "no file matches 'Rows.CSV'; did you mean 'rows.csv'?", "correct it"),
        ("row.csv", "no file matches 'row.csv'; did you mean 'rows.csv'?", "correct it"),
        ("other", "no file matches 'other'", "correct it"),
        ("none/x.csv", "no file matches 'none/x.csv': there is no folder none", "correct it"),
        ("*.txt", "no file matches '*.txt'", "correct it"),
        ("{SPAN}.csv", "no file matches '{SPAN}.csv': only source.path has spans", "correct it"),
        ("none/*/*.csv", "no file matches 'none/*/*.csv': there is no folder none", "correct it"),
    ],
)
def test_missing_files_are_explained(place, path, what, remedy):
    with pytest.raises(DataError) as caught:
        source_files(path, named=path, remedy="correct it")
    assert (caught.value.what, caught.value.remedy) == (what, remedy)
    assert os.path.isabs(str(caught.value.where))
