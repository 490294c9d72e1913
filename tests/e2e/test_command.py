"""The command in a process of its own: what it prints, its exit codes, and how it is stopped."""

import re
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.e2e

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


def start(folder, output, *options):
    """Start `skewless run` with its output in a pipe."""
    command = [sys.executable, "-m", "pipeline.cli", "run", str(folder), "--output", str(output)]
    return subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def read_until(process, stage):
    """Read lines up to the one that says a stage has ended."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(f"{stage} ") and not line.endswith("...\n"):
            return lines
    raise AssertionError(f"{stage} did not end:\n{''.join(lines)}\n{process.stderr.read()}")


def hold_that_another_is_turned_away(first, folder, output):
    """Start a run where one is at work: it says so at once and leaves no trace."""
    (run,) = output.glob("taxi/runs/*")
    second = start(folder, output)
    out, err = second.communicate(timeout=60)
    assert (second.returncode, out) == (1, "")
    assert err.startswith(
        f"error: another run is at work here: process {first.pid}, run {run.name}\n"
    )
    assert "wait for it to end, or give another --output" in err
    assert list(output.glob("taxi/runs/*")) == [run]


@pytest.mark.slow
def test_a_fresh_process_and_folder_give_the_very_same_model(
    first, make_dataset, tmp_path, last_summary
):
    process = start(make_dataset(), tmp_path)
    began = read_until(process, "ingest")
    hold_that_another_is_turned_away(process, make_dataset(spec={"model": {"seed": 3}}), tmp_path)
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


def test_planted_bad_data_stops_the_run_with_a_table(csv, make_dataset, tmp_path, last_summary):
    planted = tmp_path / "planted.csv"
    rows = csv.read_text(encoding="utf-8").splitlines()
    rows[1::20] = [row.replace("Cash", "Seashells") for row in rows[1::20]]
    planted.write_text("\n".join(rows) + "\n", encoding="utf-8")
    process = start(make_dataset(source=planted), tmp_path)
    _, err = process.communicate()
    assert process.returncode == 3
    assert err.startswith("error: the data are not what schema.pbtxt says")
    assert re.search(r"error +payment_type +train .*Seashells", err)
    assert "--allow-anomalies" in err
    assert "Traceback" not in err
    summary = last_summary(tmp_path)
    assert (summary.status, summary.error.stage) == ("failed", "gate")
    assert {s.name: s.state for s in summary.stages}["transform"] == "waiting"


def test_an_interrupt_is_said_in_a_line(make_dataset, tmp_path, last_summary):
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


# The command, whose training writes half a model and is then killed.
KILLED = """
import os, signal, sys
from components.compat import quiet_environment
quiet_environment()
from components.train import train as training
def half(**told):
    open(os.path.join(told["output"], "half"), "w").close()
    os.kill(os.getpid(), signal.SIGKILL)
training.train = half
from pipeline.cli import main
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_from_there_and_leaves_what_is_served(
    first, make_dataset, run_dataset, proof_of_the_first, root, served
):
    changed = make_dataset(spec={"features": {"fare": ["z_score"]}, "model": {"seed": 11}})
    before = served(root)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, "run", str(changed), "--output", str(root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert "transform " in killed.stdout
    assert served(root) == before
    trained = root / "taxi" / "artifacts" / "train" / "model"
    assert list(trained.glob("*/half"))

    outcome = run_dataset(changed)
    assert outcome.error is None
    assert outcome.done == ["train", "export", "evaluate", "parity", "push"]
    assert not list(trained.glob("*/half"))
    after = served(root)
    assert {path: after[path] for path in before} == before
    assert len(after) > len(before)
