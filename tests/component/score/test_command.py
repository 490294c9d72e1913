"""The commands, from arguments to files."""

import json

import pyarrow.parquet as pq
import pytest

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
    told = capfd.readouterr().out
    assert "40 rows read, 40 scored" in told
    assert "class changed in" in told
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert list(lines[0]) == ["id", "score", "score_v1", "score_difference"]
    assert cli.main(arguments) == 2
    assert "the output is there already" in capfd.readouterr().err


def test_stream_scores_the_files_that_are_there(serving, csv_file, tmp_path):
    arguments = ["stream", str(serving), "--input", str(csv_file.parent / "*.csv"), "--key", "id"]
    arguments += ["--output", str(tmp_path / "out"), "--dead-letters", str(tmp_path / "dead")]
    assert cli.main([*arguments, "--look", "0.1", "--stop-after", "0.3"]) == 0
    (path,) = (tmp_path / "out").iterdir()
    table = pq.read_table(path)
    assert table.num_rows == 40
    assert set(table.column("model_version").to_pylist()) == {"1"}
    assert not (tmp_path / "dead").exists()
