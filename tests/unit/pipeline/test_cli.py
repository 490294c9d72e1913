"""The command answers typing errors at once, in words, without heavy imports."""

import contextlib
import errno
import json
import os
import resource
import signal
import subprocess
import sys

import click
import pytest

from pipeline import cli, endings, logs, run
from pipeline.summary import Summary
from schemas import catalog
from schemas.errors import ModelError

HEAVY = ("tensorflow", "tfx", "apache_beam", "pyarrow", "numpy", "keras", "ml_metadata")

ANSWER = f"""
import json, sys
from pipeline.cli import main
code = main(json.loads(sys.argv[1]))
print([name for name in {HEAVY!r} if name in sys.modules])
sys.exit(code)
"""


def bad_folder(tmp_path, line):
    """The taxi dataset with one line added to its pipeline.yaml."""
    taxi = catalog.find_folder("taxi")
    folder = tmp_path / "bad"
    folder.mkdir()
    for name in ("pipeline.yaml", "schema.pbtxt"):
        text = (taxi / name).read_text(encoding="utf-8")
        (folder / name).write_text(text + (line if name == "pipeline.yaml" else ""), "utf-8")
    return str(folder)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--help"], 0, "Train, prove and publish a model"),
        (["--help"], 0, "doctor"),
        (["run", "--help"], 0, "--allow-anomalies"),
        (["run", "tax"], 2, "there is no dataset 'tax'; did you mean 'taxi'?"),
        (["rum", "taxi"], 2, "there is no command 'rum'; did you mean 'run'?"),
        (["run", "taxi", "--outptu", "x"], 2, "--output"),
        (["run"], 2, "Missing argument 'DATASET'"),
        (["run", "BAD"], 2, "unknown key 'modl'; did you mean 'model'?"),
        (["--version"], 0, "skewless "),
    ],
)
def test_an_answer_is_readable_quick_and_light(tmp_path, arguments, code, said):
    folder = bad_folder(tmp_path, "\nmodl: {}\n")
    arguments = [folder if argument == "BAD" else argument for argument in arguments]
    before = processor_seconds()
    done = subprocess.run(
        [sys.executable, "-c", ANSWER, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    seconds = processor_seconds() - before
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
    assert [path.name for path in tmp_path.iterdir()] == ["bad"]
    # A third of a second is usual; a slow machine is given more.
    assert seconds < 2.0


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["rum"], ["run", "taxi", "--outptu", "x"]]
)
def test_help_and_a_typing_error_import_no_more_than_click(tmp_path, arguments):
    script = f"import sys; from pipeline.cli import main; main({arguments!r})"
    script += (
        "; print([name for name in ('pydantic', 'yaml', 'components') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_list_of_commands_has_the_first_sentence_of_each_ones_help(name):
    _, sentence = cli.COMMANDS[name]
    command = cli.cli.get_command(click.Context(cli.cli), name)
    assert command is not None
    assert command.help is not None
    assert " ".join(command.help.split("\n\n")[0].split()) == sentence


def processor_seconds():
    """Return the CPU time of finished child processes, which does not depend on the load."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_missing_source_is_reported_before_anything_is_created(tmp_path, capsys):
    folder = bad_folder(tmp_path, "")
    text = (tmp_path / "bad" / "pipeline.yaml").read_text(encoding="utf-8")
    lines = ["  path: nowhere/*.csv" if "package://" in line else line for line in text.split("\n")]
    (tmp_path / "bad" / "pipeline.yaml").write_text("\n".join(lines), encoding="utf-8")
    assert cli.main(["run", folder, "--output", str(tmp_path / "runs")]) == 3
    assert "no file matches 'nowhere/*.csv'" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [("", "the file is empty"), ("trip,fare\n1,2\n", "are not in the file's header")],
)
def test_a_source_without_its_columns_is_reported_before_anything_is_created(
    tmp_path, capsys, data, said
):
    folder = bad_folder(tmp_path, "")
    text = (tmp_path / "bad" / "pipeline.yaml").read_text(encoding="utf-8")
    lines = ["  path: data.csv" if "package://" in line else line for line in text.split("\n")]
    (tmp_path / "bad" / "pipeline.yaml").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "bad" / "data.csv").write_text(data, encoding="utf-8")
    assert cli.main(["run", folder, "--output", str(tmp_path / "runs")]) == 3
    assert said in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_an_output_folder_that_cannot_be_made_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert cli.main(["run", "taxi", "--output", str(tmp_path / "file" / "runs")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: runs cannot be kept here: Not a directory\n")
    assert str(tmp_path / "file") in error


@pytest.mark.parametrize(
    "words", ["[Errno 28] No space left on device", "database or disk is full"]
)
def test_a_full_disk_is_reported_whichever_library_fails(tmp_path, monkeypatch, capsys, words):
    def fill(*_):
        raise RuntimeError(f"Error when executing query: {words} query: INSERT INTO ...")

    monkeypatch.setattr(run, "_run_dag", fill)
    assert cli.main(["run", "taxi", "--output", str(tmp_path)]) == 3
    error = capsys.readouterr().err
    assert "error: the run failed: the disk is full\n" in error
    assert f"{tmp_path / 'taxi'}\n" in error


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/mnt/file")


@pytest.mark.parametrize("where", [(logs, "captured"), (run, "locked"), (run, "summarize")])
def test_a_full_disk_before_or_after_the_stages_is_reported_alike(
    tmp_path, monkeypatch, capsys, where
):
    monkeypatch.setattr(run, "_run_dag", lambda *_: None)
    monkeypatch.setattr(*where, full)
    assert cli.main(["run", "taxi", "--output", str(tmp_path)]) == 3
    said = capsys.readouterr().err
    assert said.startswith("error: the run failed: the disk is full\n  where:     /mnt/file\n")


def test_a_summary_that_finds_no_room_does_not_hide_what_the_run_ended_with(
    tmp_path, monkeypatch, capsys
):
    def refuse(*_):
        raise ModelError("the model is not blessed")

    monkeypatch.setattr(run, "_run_dag", refuse)
    monkeypatch.setattr(Summary, "write", full)
    assert cli.main(["run", "taxi", "--output", str(tmp_path)]) == 4
    assert "error: the model is not blessed\n" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "code"), [(MemoryError(), 1), (OSError(28, "full"), 3)])
def test_a_shortage_outside_a_run_is_reported_too(monkeypatch, capsys, error, code):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(catalog, "load", fail)
    assert cli.main(["run", "taxi"]) == code
    assert capsys.readouterr().err.startswith("error: the command failed: the")


@pytest.mark.parametrize(
    ("interrupt", "line"),
    [
        (KeyboardInterrupt(), "interrupted\n"),
        (KeyboardInterrupt("its job is cancelled"), "interrupted: its job is cancelled\n"),
    ],
)
def test_an_interrupt_is_one_line(monkeypatch, capsys, interrupt, line):
    def interrupted(*_, **__):
        raise interrupt

    monkeypatch.setattr(catalog, "load", interrupted)
    assert cli.main(["run", "taxi"]) == 130
    assert capsys.readouterr().err.lstrip() == line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_end_notices(number):
    before = signal.getsignal(number)
    with contextlib.suppress(KeyboardInterrupt), endings.noticing_interrupts() as noticed:
        signal.raise_signal(number)
    assert noticed.signals == [number]
    assert signal.getsignal(number) is before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_python_drops_is_raised_at_the_next_check():
    class Dropping:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    with endings.noticing_interrupts() as noticed:
        noticed.check()
        Dropping()
        with pytest.raises(KeyboardInterrupt):
            noticed.check()
