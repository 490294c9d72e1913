"""A folder as a source: which files in it are read, and the error if that is not clear."""

import pytest

from components.sources.partitions import partition_of
from components.sources.source_files import source_files
from components.sources.source_folders import source_in
from schemas.errors import DataError
from schemas.sources.csv import Csv
from schemas.sources.parquet import Parquet

HIVE = Parquet(path="t", partitions="hive")


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Return a function that makes empty files."""
    monkeypatch.chdir(tmp_path)

    def making(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()

    return making


def found(source, path="t"):
    return source_files(path, named=path, source=source)


def refused(source, path="t"):
    with pytest.raises(DataError) as caught:
        found(source, path)
    return caught.value


def test_a_folder_has_the_files_with_the_endings_of_the_kind_but_not_those_in_subfolders(made):
    made("t/b.csv", "t/a.csv.zst", "t/notes.md", "t/_SUCCESS", "t/.c.csv", "t/more/d.csv")
    assert found(Csv(path="t")) == ["t/a.csv.zst", "t/b.csv"]


def test_a_folder_with_files_of_several_kinds_is_refused(made):
    made("t/a.csv", "t/b.parquet")
    error = refused(Csv(path="t"))
    assert error.what == "the folder 't' has files of several kinds, such as a.csv and b.parquet"
    assert error.remedy == "name the files with a pattern, such as 't/*.csv'"


@pytest.mark.parametrize(
    ("names", "remedy"),
    [
        (["t/a.parquet"], "set source.format: parquet in pipeline.yaml"),
        (["t/a.dat", "t/b.dat"], "name the files with a pattern, such as 't/*.dat'"),
        (["t/x/a.csv"], "name the files in its subfolders with a pattern"),
        (["t/x=1/a.csv", "t/x=2/a.csv"], "set source.partitions: hive"),
    ],
)
def test_a_folder_without_files_of_the_kind_says_what_to_do(made, names, remedy):
    made(*names)
    error = refused(Csv(path="t"))
    assert error.what == "the folder 't' has no file of the kind csv"
    assert remedy in error.remedy


def test_partitions_are_searched_in_all_subfolders(made):
    made("t/y=1/m=a/x.parquet", "t/y=1/m=b/x.parquet", "t/y=1/m=b/_temporary/z.parquet")
    assert found(HIVE) == ["t/y=1/m=a/x.parquet", "t/y=1/m=b/x.parquet"]
    assert found(HIVE, "t/*/m=b/*.parquet") == ["t/y=1/m=b/x.parquet"]


def test_a_path_that_lacks_a_partition_key_is_refused(made):
    made("t/y=1/m=a/x.parquet", "t/y=1/z.parquet")
    error = refused(HIVE)
    assert error.what == "the path has no partition key 'm', which other files' paths have"
    assert (error.where, error.expected) == ("t/y=1/z.parquet", "folders named y=…/m=…")


def test_paths_without_partition_keys_are_refused(made):
    made("t/x.parquet")
    assert "the path has no partition keys" in refused(HIVE).what


def test_the_keys_of_a_path_are_decoded():
    path = "gs://bucket/a%20b=1%2F2/c=__HIVE_DEFAULT_PARTITION__/d=/x=1.parquet"
    assert partition_of(path) == {"a b": "1/2", "c": None, "d": ""}


def test_the_kind_of_a_folder_is_that_of_its_files_if_they_have_one(made):
    made("t/a.csv", "u/k=1/a.parquet", "v/a.csv", "v/b.parquet")
    assert source_in("t") == Csv(path="t")
    assert source_in("u") == Parquet(path="u", partitions="hive")
    assert source_in("v") is None
