"""Which paths are the same place."""

import os

import pytest

from components.overlap import is_same, is_within


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "in.csv").write_text("a\n")
    os.symlink("folder", tmp_path / "link")
    os.symlink("folder/in.csv", tmp_path / "link.csv")
    os.link(tmp_path / "folder" / "in.csv", tmp_path / "hard.csv")
    return tmp_path


@pytest.mark.parametrize(
    "path",
    [
        "folder/in.csv",
        "./folder/../folder/in.csv",
        "{}/folder/in.csv",
        "link/in.csv",
        "link.csv",
        "hard.csv",
    ],
)
def test_a_file_is_the_same_under_each_of_its_names(place, path):
    assert is_same(path.format(place), "folder/in.csv")


def test_equal_contents_are_not_the_same_file(place):
    (place / "other.csv").write_text("a\n")
    assert not is_same("other.csv", "folder/in.csv")
    assert not is_same("none.csv", "folder/in.csv")
    assert is_same("none.csv", "./none.csv")


@pytest.mark.parametrize(
    ("path", "folder", "within"),
    [
        ("folder/in.csv", "folder", True),
        ("folder/in.csv", "link", True),
        ("link/in.csv", ".", True),
        ("folder", "folder", True),
        ("folder/none/x", "folder", True),
        ("folder2/x", "folder", False),
        ("folder", "folder/in.csv", False),
        ("/", "folder", False),
        ("folder", "/", True),
        ("s3://b/a/x", "s3://b/a/", True),
        ("s3://b/ax", "s3://b/a", False),
        ("gs://b/a/x", "s3://b/a", False),
        ("folder/in.csv", "s3://b", False),
        ("s3://b/a", ".", False),
    ],
)
def test_what_lies_within_a_folder(place, path, folder, within):
    assert is_within(path, folder) is within
