"""Where scores end: what a path means, and what is never overwritten unasked."""

import pytest

from components.score.output import Output
from schemas.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "asked", "kind", "single"),
    [
        ("a.csv", None, "csv", True),
        ("a.jsonl", None, "jsonl", True),
        ("a.parquet", "parquet", "parquet", True),
        ("a", None, "parquet", False),
        ("a", "csv", "csv", False),
        ("a.2026-11-21", None, "parquet", False),
        ("a.d", "jsonl", "jsonl", False),
    ],
)
def test_a_path_says_what_is_written(tmp_path, name, asked, kind, single):
    output = Output.of(str(tmp_path / name), asked, overwrite=False)
    assert (output.kind, output.single) == (kind, single)


def test_an_ending_of_another_format_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"a\.csv is to be parquet"):
        Output.of(str(tmp_path / "a.csv"), "parquet", overwrite=False)


@pytest.mark.parametrize("name", ["a.json", "a.csv.gz", "a.xlsx"])
def test_an_ending_that_no_format_has_is_refused_unless_a_folder_is_meant(tmp_path, name):
    with pytest.raises(ConfigError, match=r"there is no format \.(json|gz|xlsx)"):
        Output.of(str(tmp_path / name), None, overwrite=False)
    assert not Output.of(str(tmp_path / name), "csv", overwrite=False).single


@pytest.mark.parametrize("name", ["a.csv", "a.csv.rejects.parquet"])
def test_what_is_there_is_kept_unless_it_may_be_replaced(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match="the output is there already"):
        Output.of(str(tmp_path / "a.csv"), None, overwrite=False)
    assert Output.of(str(tmp_path / "a.csv"), None, overwrite=True).single


def test_an_empty_folder_is_nothing(tmp_path):
    (tmp_path / "out").mkdir()
    assert not Output.of(str(tmp_path / "out"), None, overwrite=False).single
