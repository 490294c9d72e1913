"""Commands answer as JSON in one shape, and end with the exit codes that are documented."""

import json
from pathlib import Path

import click
import pytest

from pipeline import answers, cli, doctor, endings
from schemas import errors


@pytest.mark.parametrize(
    ("result", "printed"),
    [
        ({"a": (1, 2.5)}, {"a": [1, 2.5]}),
        ([float("nan"), {"b": float("inf")}], [None, {"b": None}]),
        (2**53 + 1, 2**53 + 1),
        ("é\n", "é\n"),
    ],
)
def test_a_result_stands_beside_its_command(capsys, result, printed):
    group, command = click.Context(click.Group("skewless"), info_name="skewless"), click.Command
    with click.Context(command("diff"), parent=group, info_name="diff"):
        answers.show(result)
    shown = json.loads(capsys.readouterr().out)
    assert shown == {"format": 1, "command": "diff", "result": printed}


def test_a_check_of_a_shipped_dataset_is_json(capsys):
    assert cli.main(["check", "taxi", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["result"]
    assert (result["accepted"], result["rejected"], result["files"]) == (True, 0, 1)
    assert result["records_read"] == sum(result["label"].values())


def test_the_doctor_s_exit_code_is_the_same_as_json(monkeypatch, capsys):
    checks = [doctor.Check("memory", "1 GiB", verdict="bad", remedy="more")]
    monkeypatch.setattr(doctor, "check_all", lambda _: iter(checks))
    assert cli.main(["doctor", "--json"]) == 1
    (check,) = json.loads(capsys.readouterr().out)["result"]
    assert (check["what"], check["verdict"]) == ("memory", "bad")


def test_every_error_has_an_exit_code_of_the_documented_ones():
    page = (Path(__file__).parents[3] / "docs" / "runs.md").read_text(encoding="utf-8")
    for code, meaning in cli.EXIT_CODES.items():
        assert f"| {code} | {meaning} |" in page
    raised: list[type[errors.SkewlessError]] = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.SkewlessError)
    ]
    assert errors.StoreError in raised
    raised += [endings.InterruptedRunError, endings.UnexpectedError]
    for each in raised:
        assert each.exit_code in cli.EXIT_CODES
