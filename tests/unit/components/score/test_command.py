"""What the commands refuse before heavy imports."""

import gzip

import pytest

from pipeline import cli


@pytest.fixture
def model(tmp_path):
    """A folder that looks like a serving folder from outside."""
    folder = tmp_path / "serving" / "3"
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    (tmp_path / "rows.csv").write_text("a\n1\n")
    (tmp_path / "text.parquet").write_text("a\n1\n")
    (tmp_path / "packed.csv").write_bytes(gzip.compress(b"a\n1\n"))
    return tmp_path / "serving"


def refusal(capsys, *arguments):
    code = cli.main([str(argument) for argument in arguments])
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["rows.csv", "-o", "out", "--version", "4"], 2, "there is no version 4"),
        (["rows.csv", "-o", "out", "--compare", "4"], 2, "there is no version 4"),
        (["none*.csv", "-o", "out"], 3, "no file matches 'none*.csv'"),
        (["rows.csv", "-o", "a.csv", "--format", "jsonl"], 2, "a.csv should be jsonl"),
        (["rows.csv", "-o", "rows.csv"], 2, "the output is a file to be scored"),
        (["packed.csv", "-o", "out"], 3, "the file is packed with gzip, not CSV"),
        (["text.parquet", "-o", "out"], 3, "the file is text, not Parquet as its name says"),
        ([".", "-o", "out"], 3, "'.' is a folder"),
        (["rows.csv", "-o", "serving/3/out"], 2, "the output is inside a folder of models"),
        (["rows.csv", "-o", "out", "--dataset", "tax"], 2, "did you mean 'taxi'?"),
    ],
)
def test_predict_says_what_is_wrong(model, capsys, monkeypatch, arguments, code, words):
    monkeypatch.chdir(model.parent)
    found, text = refusal(capsys, "predict", model, *arguments)
    assert (found, words in text) == (code, True), text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--output", "out"], "give --input or --subscription"),
        (
            ["--input", "*", "--subscription", "s", "--output", "o"],
            "give --input or --subscription",
        ),
        (["--input", "*"], "give --output or --topic"),
        (["--input", "*", "--topic", "t"], "'t' is not a topic"),
        (["--subscription", "s", "--output", "d"], "'s' is not a subscription"),
    ],
)
def test_stream_says_what_is_wrong(model, capsys, arguments, words):
    found, text = refusal(capsys, "stream", model, "--dead-letters", "d", *arguments)
    assert (found, words in text) == (2, True), text
