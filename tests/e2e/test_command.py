"""The command: its output, its exit codes, and how it is stopped, mostly in a separate process."""

import itertools
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from pipeline import cli
from pipeline.run import run
from schemas import catalog

pytestmark = pytest.mark.e2e

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


def start(folder, output, *options):
    """Start `skewless run` with its output in a pipe."""
    command = [sys.executable, "-m", "pipeline.cli", "run", str(folder), "--output", str(output)]
    return subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def read_until(process, stage):
    """Read lines up to the one that reports the end of a stage."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(f"{stage} ") and not line.endswith("...\n"):
            return lines
    raise AssertionError(f"{stage} did not end:\n{''.join(lines)}\n{process.stderr.read()}")


def hold_that_another_is_turned_away(first, folder, output):
    """Start a run while another one is at work: it is refused at once and leaves no trace."""
    (run,) = output.glob("taxi/runs/*")
    second = start(folder, output)
    out, err = second.communicate(timeout=60)
    assert (second.returncode, out) == (1, "")
    assert err.startswith(
        f"error: another run is at work here: process {first.pid} on {socket.gethostname()},"
        f" run {run.name}, since "
    )
    assert "wait for it to end, or give another --output" in err
    assert list(output.glob("taxi/runs/*")) == [run]


def run_beside(first, folder, output):
    """Run a pipeline of another name while one is at work: neither affects the other."""
    beside = run(catalog.load(str(folder)), output=str(output))
    assert beside.status == "pushed"
    assert beside.model == str(output / "beside/serving/1")
    assert beside.evaluation == first.summary.evaluation


@pytest.mark.long
def test_a_fresh_process_and_folder_give_the_very_same_model(
    first, make_dataset, proof_of_the_first, tmp_path, last_summary
):
    process = start(make_dataset(), tmp_path)
    began = read_until(process, "ingest")
    hold_that_another_is_turned_away(process, make_dataset(spec={"model": {"seed": 3}}), tmp_path)
    run_beside(first, make_dataset(spec={"name": "beside"}), tmp_path)
    assert process.poll() is None
    rest, err = process.communicate()
    out = "".join(began) + rest
    assert (process.returncode, err) == (0, "")
    assert not CONTROL.search(out)
    lines = out.splitlines()
    assert lines[0].startswith("taxi: run ")
    for stage in ("ingest", "statistics", "transform", "train", "push"):
        assert sum(line.startswith(f"{stage} ") for line in lines) >= 1
    assert any(line.startswith("model          pushed as version 1") for line in lines)
    assert any(line.startswith("serve it       skewless serve") for line in lines)
    summary = last_summary(tmp_path)
    assert summary.evaluation == first.summary.evaluation
    assert summary.counts == first.summary.counts


def test_planted_bad_data_stops_the_run_with_a_table(
    csv, make_dataset, tmp_path, last_summary, capfd
):
    planted = tmp_path / "planted.csv"
    rows = csv.read_text(encoding="utf-8").splitlines()
    rows[1::20] = [row.replace("Cash", "Seashells") for row in rows[1::20]]
    planted.write_text("\n".join(rows) + "\n", encoding="utf-8")
    folder = make_dataset(source=planted)
    assert cli.main(["run", str(folder), "--output", str(tmp_path)]) == 3
    err = capfd.readouterr().err
    assert err.startswith("error: the data are not what schema.pbtxt says")
    assert re.search(r"error +payment_type +train .*Seashells", err)
    assert "--allow-anomalies" in err
    assert "Traceback" not in err
    summary = last_summary(tmp_path)
    assert (summary.status, summary.error.stage) == ("failed", "gate")
    assert {s.name: s.state for s in summary.stages}["transform"] == "waiting"


def test_an_interrupt_is_reported_in_one_line(make_dataset, tmp_path, last_summary):
    process = start(make_dataset(), tmp_path)
    read_until(process, "gate")
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, err = process.communicate()
    assert process.returncode == 130, err
    assert re.match(r"error: interrupted( in transform)?\n", err)
    assert "Traceback" not in err
    assert time.monotonic() - started < 30
    assert last_summary(tmp_path).status == "interrupted"


# The command, whose training writes half a model, reports it and waits to be killed.
HELD = r"""
import os, signal, sys
from components.compat import quiet_environment
quiet_environment()
from components.train import train as training
def half(**arguments):
    open(os.path.join(arguments["output"], "half"), "w").close()
    os.write(screen, b"half a model\n")
    signal.pause()
training.train = half
screen = os.dup(1)
from pipeline.cli import main
main(sys.argv[1:])
"""


@pytest.fixture
def held(first, make_dataset, root):
    """A run at work in the folder of the first one, with half of its model trained."""
    folder = make_dataset(spec={"features": {"fare": ["z_score"]}, "model": {"seed": 11}})
    command = [sys.executable, "-c", HELD, "run", str(folder), "--output", str(root)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            lines = [*itertools.takewhile("half a model\n".__ne__, process.stdout)]
            assert process.poll() is None, "".join(lines)
            yield process, folder
        finally:
            process.kill()


def ask_for_what_is_pushed(csv, root, output, capfd):
    """Score with the pushed model; the format of the rows is read from the record."""
    pipeline = str(root / "taxi")
    assert cli.main(["predict", pipeline, str(csv), "-o", str(output), "--version", "1"]) == 0
    assert "600 rows read, 600 scored" in capfd.readouterr().out


@pytest.mark.long
def test_a_run_at_work_disturbs_nobody_and_the_next_continues_it_when_killed(
    held, csv, run_dataset, proof_of_the_first, root, served, tmp_path, capfd
):
    process, changed = held
    before = served(root)
    ask_for_what_is_pushed(csv, root, tmp_path / "scores.csv", capfd)
    process.kill()
    process.wait()
    assert served(root) == before
    trained = root / "taxi" / "artifacts" / "train" / "model"
    assert list(trained.glob("*/half"))

    outcome = run_dataset(changed)
    assert outcome.error is None
    assert outcome.done == ["train", "export", "evaluate", "explain", "parity", "push"]
    assert not list(trained.glob("*/half"))
    after = served(root)
    assert {path: after[path] for path in before} == before
    assert len(after) > len(before)
