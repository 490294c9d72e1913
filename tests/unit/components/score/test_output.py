"""The output of scoring: what a path means, and what is never overwritten."""

import json
import os

import pyarrow as pa
import pytest

from components.examples import ShardWriter
from components.score.output import ScoreOutput
from components.score.tally import ScoreTally
from components.sources.rejects import SCHEMA
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
    output = ScoreOutput.of(str(tmp_path / name), asked, overwrite=False)
    assert (output.kind, output.single) == (kind, single)


def test_an_ending_of_another_format_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"a\.csv should be parquet"):
        ScoreOutput.of(str(tmp_path / "a.csv"), "parquet", overwrite=False)


@pytest.mark.parametrize("name", ["a.json", "a.csv.gz", "a.xlsx"])
def test_an_ending_that_no_format_has_is_refused_unless_a_folder_is_meant(tmp_path, name):
    with pytest.raises(ConfigError, match=r"there is no format \.(json|gz|xlsx)"):
        ScoreOutput.of(str(tmp_path / name), None, overwrite=False)
    assert not ScoreOutput.of(str(tmp_path / name), "csv", overwrite=False).single


def test_what_is_there_is_kept_unless_it_may_be_replaced(tmp_path):
    (tmp_path / "a.csv").write_text("mine")
    with pytest.raises(ConfigError, match="the output exists already"):
        ScoreOutput.of(str(tmp_path / "a.csv"), None, overwrite=False)
    assert ScoreOutput.of(str(tmp_path / "a.csv"), None, overwrite=True).single


def test_an_empty_folder_is_nothing(tmp_path):
    (tmp_path / "out").mkdir()
    assert not ScoreOutput.of(str(tmp_path / "out"), None, overwrite=False).single


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The current folder, with a file of rows."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.csv").write_text("mine")
    return tmp_path


def scored_into(
    folder, files=("part-00000-of-00001.csv",), rejects=("part-00000-of-00001.parquet",)
):
    """Create the files of a `predict` in a folder."""
    (folder / "rejects").mkdir(parents=True)
    for name in (*files, *(f"rejects/{name}" for name in rejects)):
        (folder / name).write_text("scores")
    summary = {
        "model": "m",
        "signature": "predict",
        "rows_read": 1,
        "rows_scored": 1,
        "files": [f"/moved/since/{name}" for name in files],
        "rejects": [f"/moved/since/rejects/{name}" for name in rejects],
    }
    (folder / "summary.json").write_text(json.dumps(summary))


def of(path, kind=None, *, overwrite=True, **read):
    return ScoreOutput.of(str(path), kind, overwrite=overwrite, **read)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("output", ["in.csv", "./in.csv", "{}/in.csv", "soft.csv", "hard.csv"])
def test_an_input_is_never_the_output(place, output, overwrite):
    os.symlink("in.csv", place / "soft.csv")
    os.link(place / "in.csv", place / "hard.csv")
    with pytest.raises(ConfigError, match="the output is a file to be scored") as caught:
        of(output.format(place), overwrite=overwrite, inputs=["other.csv", "in.csv"])
    assert (caught.value.where, "--overwrite" in str(caught.value)) == ("in.csv", False)


def test_an_input_that_is_a_link_to_the_output_is_refused_too(place):
    os.symlink("in.csv", place / "soft.csv")
    with pytest.raises(ConfigError, match="to be scored"):
        of("in.csv", inputs=["soft.csv"])


def test_rejects_do_not_replace_an_input(place):
    with pytest.raises(ConfigError, match="the rejected rows would replace a file to be scored"):
        of("a.csv", inputs=["a.csv.rejects.parquet"])


@pytest.mark.parametrize("output", ["folder", "folder/../folder", "link", "."])
def test_a_folder_with_an_input_is_not_replaced(place, output):
    scored_into(place / "folder", files=["part-00000-of-00001.csv"])
    os.symlink("folder", place / "link")
    with pytest.raises(ConfigError, match="the output folder contains a file to be scored"):
        of(output, "csv", inputs=["folder/part-00000-of-00001.csv"])


@pytest.mark.parametrize("output", [".", "..", "{}", "/"])
def test_the_current_folder_is_never_replaced(place, monkeypatch, output):
    (place / "empty").mkdir()
    monkeypatch.chdir(place / "empty")
    with pytest.raises(ConfigError, match="the output is the current folder, or one above it"):
        of(
            output.format(place),
            "csv",
        )


@pytest.mark.parametrize(
    "other", ["thesis.tex", ".hidden", "part-00000-of-00009.csv", "rejects/mine.parquet", "sub/"]
)
def test_a_folder_with_other_files_is_not_replaced_and_they_are_named(place, other):
    scored_into(place / "out")
    if other.endswith("/"):
        (place / "out" / other).mkdir()
    else:
        (place / "out" / other).write_text("my only copy")
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match="the output folder contains other files: ") as caught:
            of("out", "csv", overwrite=overwrite)
        assert other.rstrip("/") in caught.value.what


_SUMMARY = (
    '{"model": "", "signature": "", "rows_read": 1, "rows_scored": 1, "files": %s, "rejects": %s}'
)


@pytest.mark.parametrize(
    "summary",
    [
        None,
        "{",
        "[]",
        '{"files": ["thesis.tex"]}',
        _SUMMARY % (3, 3),
        _SUMMARY % ('["thesis.tex"]', '["../thesis.tex"]'),
    ],
)
def test_a_folder_without_a_summary_of_ours_is_not_replaced(place, summary):
    (place / "out").mkdir()
    (place / "out" / "thesis.tex").write_text("my only copy")
    if summary is not None:
        (place / "out" / "summary.json").write_text(summary)
    with pytest.raises(ConfigError, match=r"contains other files: .*thesis\.tex"):
        of("out", "csv")


def test_what_predict_wrote_is_replaced_wherever_it_was_moved_to(place):
    scored_into(place / "out")
    assert of("out", "csv", inputs=["in.csv"]).path == str(place / "out")
    with pytest.raises(ConfigError, match="the output exists already"):
        of("out", "csv", overwrite=False)


def test_a_link_means_what_it_leads_to(place):
    os.symlink("elsewhere", place / "out")
    os.symlink("today.csv", place / "latest.csv")
    assert of("out", "csv", overwrite=False).path == str(place / "elsewhere")
    assert of("latest.csv", overwrite=False).path == str(place / "today.csv")


def test_a_file_does_not_replace_a_folder_nor_a_folder_a_file(place):
    (place / "a.csv" / "sub").mkdir(parents=True)
    (place / "file").write_text("mine")
    with pytest.raises(ConfigError, match="the output is a file"):
        of("a.csv")
    with pytest.raises(ConfigError, match="the output is a folder, but a file"):
        of("file", "csv")
    with pytest.raises(ConfigError, match="the output is a folder, but something else"):
        of("/dev/null", "csv")
    for path in ("in.csv/scores.csv", "in.csv/a/b"):
        with pytest.raises(ConfigError, match="the parent folder of the output is a file"):
            of(path)
    (place / "b.csv.rejects.parquet").mkdir()
    with pytest.raises(ConfigError, match="the output is a file"):
        of("b.csv")


def test_a_file_beside_the_output_is_replaced_only_if_it_holds_rejects(place):
    beside = place / "a.csv.rejects.parquet"
    beside.write_text("my only copy")
    with pytest.raises(ConfigError, match="would replace a file of another kind") as caught:
        of("a.csv")
    assert caught.value.where == str(beside)
    beside.unlink()
    with ShardWriter(str(beside), SCHEMA, batch_rows=1):
        pass
    assert of("a.csv").single


@pytest.mark.parametrize("output", ["m/1", "m/1/scores.csv", "m/1/scores", "link/1/scores.csv"])
def test_nothing_is_written_into_a_model(place, output):
    (place / "m" / "1").mkdir(parents=True)
    os.symlink("m", place / "link")
    with pytest.raises(ConfigError, match="the output is inside a folder of models"):
        of(output, kept=["m/1"])
    assert of("m/scores.csv", kept=["m/1"]).single


def test_a_model_is_not_replaced_by_the_folder_that_holds_it(place):
    with pytest.raises(ConfigError, match="the output folder contains the model"):
        of("m", "csv", kept=["m/1"])


def test_what_is_put_there_meanwhile_is_not_replaced(place):
    scored_into(place / "out")
    output = of("out", "csv")
    (place / "out" / "thesis.tex").write_text("my only copy")
    with pytest.raises(ConfigError, match=r"thesis\.tex"):
        output.publish(ScoreTally(), None, pa.schema([("score", pa.float32())]), str(place))
    assert (place / "out" / "thesis.tex").read_text() == "my only copy"
