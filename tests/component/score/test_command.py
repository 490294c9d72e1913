"""The commands, from arguments to files."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from components.score import new_files
from pipeline import cli
from tests.component.score.conftest import push

pytestmark = pytest.mark.component


def test_predict_scores_a_file_and_says_what_it_did(
    exported_again, serving, csv_file, tmp_path, capfd
):
    push(exported_again, serving, 2)
    output = tmp_path / "scores.jsonl"
    arguments = ["predict", str(serving.parent), str(csv_file), "-o", str(output)]
    arguments += ["--key", "id", "--columns", "score", "--compare", "1"]
    assert cli.main([*arguments, "--", "--direct_num_workers=1"]) == 0
    printed = capfd.readouterr().out
    assert "40 rows read, 40 scored" in printed
    assert "class changed in" in printed
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert list(lines[0]) == ["id", "score", "score_v1", "score_difference"]
    assert cli.main(arguments) == 2
    assert "the output exists already" in capfd.readouterr().err


@pytest.fixture
def stream(serving, csv_file, tmp_path):
    """The command: scores 40 rows of one file, rejects a row of another one and a whole file."""
    incoming = tmp_path / "in"
    incoming.mkdir()
    (incoming / "rows.csv").write_text(csv_file.read_text() + "1,2\n")
    (incoming / "none.csv").write_text("what,ever\n")
    command = ["stream", str(serving), "--input", str(incoming / "*.csv"), "--key", "id"]
    command += ["--output", str(tmp_path / "out"), "--dead-letters", str(tmp_path / "dead")]
    return [*command, "--look", "0.1"]


def ended(tmp_path):
    """Return the last lines of a stream."""
    return f"42 rows read, 40 scored\n2 rejected: {tmp_path / 'dead'}\nscores: {tmp_path / 'out'}\n"


def test_stream_scores_the_files_that_are_there_and_says_what_it_did(stream, tmp_path, capfd):
    assert cli.main([*stream, "--stop-after", "0.3"]) == 0
    (path,) = (tmp_path / "out").iterdir()
    table = pq.read_table(path)
    assert table.num_rows == 40
    assert set(table.column("model_version").to_pylist()) == {"1"}
    assert len(list((tmp_path / "dead").iterdir())) == 2
    assert capfd.readouterr().out.endswith(
        f"42 rows read, 40 scored\n2 rejected: {tmp_path / 'dead'}\nscores: {tmp_path / 'out'}\n"
    )


def test_a_restarted_stream_scores_files_again_into_the_same_names(stream, tmp_path, capfd):
    """However a stream was killed, its files exist once."""
    assert cli.main([*stream, "--stop-after", "0.1"]) == 0
    files = {path: path.read_bytes() for path in tmp_path.glob("out/*")}
    (path,) = files
    path.unlink()  # as if the stream had been killed before it
    assert cli.main([*stream, "--stop-after", "0.1", "--", "--runner=DirectRunner"]) == 0
    assert {path: path.read_bytes() for path in tmp_path.glob("out/*")} == files
    assert capfd.readouterr().out.count("\n42 rows read, 40 scored\n") == 2


def test_stream_says_what_it_did_when_it_fails(stream, tmp_path, monkeypatch, capfd):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(new_files, "open_sink", full)
    assert cli.main([*stream, "--stop-after", "0.1"]) == 3
    shown = capfd.readouterr()
    assert "No space left on device" in shown.err
    assert "rows read, 0 scored\n" in shown.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--", "--direct_num_workers=2"], "a stream in this process has one worker"),
        (
            ["--stop-after", "1", "--", "--runner=DataflowRunner"],
            "only a stream of messages in this process",
        ),
    ],
)
def test_stream_refuses_what_would_have_no_effect(serving, arguments, words, capfd):
    command = ["stream", str(serving), "--subscription", "projects/p/subscriptions/s"]
    command += ["--topic", "projects/p/topics/t", "--dead-letters", "projects/p/topics/t"]
    assert cli.main([*command, *arguments]) == 2
    shown = capfd.readouterr()
    assert words in shown.err
    assert "rows read" not in shown.out


def test_stream_says_what_it_did_when_it_is_stopped(stream, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", *stream],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_for(process, tmp_path, files=3)
            # A file exists just before it is counted; once there is another, it was counted.
            (tmp_path / "in" / "late.csv").write_text("what,ever\n")
            wait_for(process, tmp_path, files=4)
            process.terminate()
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    assert "\n43 rows read, 40 scored\n" in output
    assert output.endswith(f"\nscores: {tmp_path / 'out'}\n")


def wait_for(process, folder, files):
    deadline = time.monotonic() + 120
    while len([*folder.glob("out/[!.]*"), *folder.glob("dead/[!.]*")]) < files:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
