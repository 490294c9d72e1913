"""However a fresh process ends, it is reported."""

import io
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import psutil
import pytest

from components.parity import fresh_process, processes
from components.parity.processes import FreshProcess, NoAnswerError
from components.parity.questions import Question
from components.parity.serving_paths.python import Python
from schemas.errors import ModelError, SkewlessError

# Replaces components.parity.fresh_process: arguments are PATH, SAVED_MODEL, FOLDER.
ECHO = """
import json, shutil, sys
_, path, saved_model, folder = sys.argv
assert sys.stdin.readline() == "all asked\\n"
answers = []
for call in json.load(open(f"{folder}/{path}.calls.json")):
    file = call["name"] + ".answer"
    if call["signature"] == "broken":
        answers.append({"name": call["name"], "outputs": None, "error": "it is broken"})
        continue
    shutil.copy(f"{folder}/{call['feeds']}", f"{folder}/{file}")
    answers.append({"name": call["name"], "outputs": file, "error": None})
json.dump(answers, open(f"{folder}/{path}.answers.json", "w"))
"""


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Run a program in place of the fresh process, and return its answers."""

    def start(program, *questions):
        monkeypatch.setattr(processes, "_COMMAND", (sys.executable, "-c", program))
        with FreshProcess("model", str(tmp_path), [Python]) as process:
            process.ask({Python: questions})
            return process.answers(Python)

    return start


def question(name, signature="raw_columns"):
    return Question(name, signature, {"fare": np.array([1.5, 2.5])}, slice(0, 2))


def test_answers_come_back_by_the_questions_names(ask):
    answers = ask(ECHO, question("first"), question("second"))

    assert list(answers) == ["first", "second"]
    assert answers["second"]["fare"].tolist() == [1.5, 2.5]


def test_questions_with_the_same_feeds_share_a_file_and_others_have_their_own(ask, tmp_path):
    first = question("first")
    other = replace(first, name="other", feeds={"fare": np.array([3.5, 4.5])})
    answers = ask(ECHO, first, replace(first, name="again"), other)

    assert [values["fare"].tolist() for values in answers.values()] == [
        [1.5, 2.5],
        [1.5, 2.5],
        [3.5, 4.5],
    ]
    assert len(list(tmp_path.glob("*.feeds.arrow"))) == 2


def test_a_question_that_fails_leaves_the_others_answered(ask):
    answers = ask(ECHO, question("first", "broken"), question("second"))

    assert isinstance(answers["first"], NoAnswerError)
    assert str(answers["first"]) == "it is broken"
    assert answers["second"]["fare"].tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("raise SystemExit('the export does not load')", "code 1\nthe export does not load"),
        ("import os; os.abort()", "the process was ended by SIGABRT"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended by SIGSEGV"),
        ("import sys; sys.exit('x' * 5000 + ' the end')", "xxx the end"),
    ],
)
def test_a_process_that_dies_is_reported_with_the_end_of_its_output(ask, program, reason):
    with pytest.raises(NoAnswerError) as caught:
        ask(program, question("first"))

    assert reason in str(caught.value)
    assert len(str(caught.value)) < 900


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_a_process_that_something_ends_from_outside_is_no_verdict_on_the_export(ask, name):
    with pytest.raises(SkewlessError, match=f"was ended by {name}") as caught:
        ask(f"import os, signal; os.kill(os.getpid(), signal.{name})", question("first"))

    assert not isinstance(caught.value, ModelError)


def test_a_process_that_hangs_is_given_up_and_ended(ask, monkeypatch):
    monkeypatch.setattr(processes, "TIMEOUT_SECONDS", 0.05)
    started = time.monotonic()
    with pytest.raises(NoAnswerError, match=r"no answer within 0\.05 s"):
        ask("import signal; signal.pause()", question("first"))

    assert time.monotonic() - started < 10


# Starts both kinds of processes as a proof does, with programs in their place that never end, and
# is killed once they are running.
KILLED = """
import os, signal, sys
from components.parity import processes, server
from components.parity.serving_paths.python import Python
folder, program = sys.argv[1:]
processes._COMMAND = server._COMMAND = (sys.executable, "-c", program)
asking = processes.FreshProcess("model", folder, [Python])
asking.ask({})
serving = server.ServerProcess("model", folder)
while len(os.listdir(f"{folder}/started")) < 2:
    pass
os.kill(os.getpid(), signal.SIGKILL)
"""
NEVER_ENDS = """
import os, signal
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
open(f"STARTED/{os.getpid()}", "w").close()
signal.pause()
"""


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux")
def test_processes_do_not_outlive_a_proof_that_is_killed(tmp_path):
    started = tmp_path / "started"
    started.mkdir()
    program = NEVER_ENDS.replace("STARTED", str(started))
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), program],
        env=processes.environment(),
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    left = [
        psutil.Process(int(p.name)) for p in started.iterdir() if psutil.pid_exists(int(p.name))
    ]
    _, alive = psutil.wait_procs(left, timeout=30)
    for process in alive:
        process.kill()
    assert not alive


def test_a_fresh_process_that_nobody_asks_any_more_ends(tmp_path, monkeypatch):
    name = fresh_process.name_of(Python)
    (tmp_path / f"{name}.calls.json").write_text("[]", encoding="utf-8")
    monkeypatch.setattr(Python, "__init__", lambda *_: None)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(SystemExit, match="ended before the questions were complete"):
        fresh_process.main(name, "model", str(tmp_path))
    assert not (tmp_path / f"{name}.answers.json").exists()

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(fresh_process.ALL_ASKED)))
    fresh_process.main(name, "model", str(tmp_path))
    assert (tmp_path / f"{name}.answers.json").exists()
