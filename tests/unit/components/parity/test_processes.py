"""However a fresh process ends, it is told."""

import sys
import time

import numpy as np
import pytest

from components.parity import processes
from components.parity.processes import FreshProcess, NoAnswerError
from components.parity.questions import Question

# Stands for components.parity.fresh_process: arguments are ENGINE, SAVED_MODEL, FOLDER.
ECHO = """
import json, shutil, sys
_, engine, saved_model, folder = sys.argv
sys.stdin.read()
answers = []
for call in json.load(open(f"{folder}/{engine}.calls.json")):
    file = call["name"] + ".answer"
    if call["signature"] == "broken":
        answers.append({"name": call["name"], "outputs": None, "error": "it is broken"})
        continue
    shutil.copy(f"{folder}/{call['feeds']}", f"{folder}/{file}")
    answers.append({"name": call["name"], "outputs": file, "error": None})
json.dump(answers, open(f"{folder}/{engine}.answers.json", "w"))
"""


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Run a program in place of the fresh process, and return its answers."""

    def start(program, *questions):
        monkeypatch.setattr(processes, "_COMMAND", (sys.executable, "-c", program))
        with FreshProcess("model", str(tmp_path), ["python"]) as process:
            process.ask({"python": questions})
            return process.answers("python")

    return start


def question(name, signature="raw_columns"):
    return Question(name, signature, {"fare": np.array([1.5, 2.5])}, slice(0, 2))


def test_answers_come_back_by_the_questions_names(ask):
    answers = ask(ECHO, question("first"), question("second"))

    assert list(answers) == ["first", "second"]
    assert answers["second"]["fare"].tolist() == [1.5, 2.5]


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
def test_a_process_that_dies_tells_how_and_its_last_words(ask, program, reason):
    with pytest.raises(NoAnswerError) as caught:
        ask(program, question("first"))

    assert reason in str(caught.value)
    assert len(str(caught.value)) < 900


def test_a_process_that_hangs_is_given_up_and_ended(ask, monkeypatch):
    monkeypatch.setattr(processes, "TIMEOUT_SECONDS", 0.05)
    started = time.monotonic()
    with pytest.raises(NoAnswerError, match=r"no answer within 0\.05 s"):
        ask("import signal; signal.pause()", question("first"))

    assert time.monotonic() - started < 10
