"""Processes that train together: what is done when one of them ends early."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components import progress
from components.train import launch as launching
from components.train import work
from components.train.launch import launch, process_count, visible_gpus
from components.train.work import TrainingJob
from schemas.errors import ConfigError, SkewlessError
from schemas.model import Model

JOB = TrainingJob(examples="e", graph="g", task="{}", model=Model(), output="o")


class Launcher:
    """Launches scripts in the place of the processes; keeps their variables and the remarks."""

    def __init__(self, monkeypatch):
        self.monkeypatch = monkeypatch
        self.seen: tuple[list[dict[str, str]], list[dict[str, Any]]] = [], []

    def __call__(self, script, workers=2):
        environments, remarks = self.seen = [], []

        def started(command, environment, errors, *, is_chief):
            environments.append(environment)
            events = subprocess.PIPE if is_chief else subprocess.DEVNULL
            command = [sys.executable, "-S", "-c", script, str(len(environments) - 1)]
            return subprocess.Popen(command, stdout=events, stderr=errors)

        self.monkeypatch.setattr(launching, "_started", started)
        self.monkeypatch.setattr(progress, "emit", lambda event: remarks.append(event.values))
        launch(JOB, workers)


@pytest.fixture
def run(monkeypatch):
    return Launcher(monkeypatch)


def test_processes_that_end_early_are_started_again(run):
    run("import sys, time; n = int(sys.argv[1])\nif n == 1: sys.exit(9)\ntime.sleep(n < 2 and 9)")
    environments, remarks = run.seen
    assert len(environments) == 4
    assert remarks == [{"remark": "a process ended early; all go on from the checkpoint"}]


def test_processes_that_end_early_again_and_again_are_an_error(run):
    with pytest.raises(SkewlessError, match=r"4 times; the last one:\nout of memory"):
        run("import sys; sys.exit('out of memory')")
    assert len(run.seen[0]) == 8


def test_an_error_for_the_user_ends_all_with_its_own_words(run):
    text = "the eval split has no rows\n  where:     there"
    script = f"import sys; print({work.MARK + text!r}, file=sys.stderr); sys.exit({work.FAILED})"
    with pytest.raises(SkewlessError, match="the eval split has no rows") as caught:
        run(script)
    assert caught.value.where == "there"
    assert len(run.seen[0]) == 2


def test_the_events_of_the_chief_are_relayed(run):
    event = {"stage": "train", "kind": "metrics", "values": {"epoch": 1}}
    run(f"print({work.EVENT + json.dumps(event)!r})", workers=1)
    assert run.seen[1] == [{"epoch": 1}]


def test_each_process_knows_the_others_and_has_a_gpu_of_its_own(run, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    assert (process_count("auto"), process_count(3)) == (2, 3)
    run("")
    configs = [json.loads(each["TF_CONFIG"]) for each in run.seen[0]]
    assert [each["task"]["index"] for each in configs] == [0, 1]
    assert configs[0]["cluster"] == configs[1]["cluster"]
    assert len(set(configs[0]["cluster"]["worker"])) == 2
    assert [each["CUDA_VISIBLE_DEVICES"] for each in run.seen[0]] == ["4", "7"]


def test_gpus_that_the_environment_hides_are_not_used(monkeypatch):
    devices = ["/dev/nvidia1", "/dev/nvidia0"]
    assert visible_gpus({}, devices) == ["0", "1"]
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": ""}, devices) == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert process_count("auto") == 1
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "3, 1"}, devices) == ["3", "1"]


TWO = {"TF_CONFIG": json.dumps({"cluster": {"chief": ["a:1"], "worker": ["b:1"]}})}


def test_machines_find_the_job_of_the_first_one_while_it_trains(run, tmp_path, monkeypatch):
    shared, seen = launching.job_file(str(tmp_path)), []

    def once(job, environments, folder):
        seen.append((TrainingJob.model_validate_json(Path(job).read_bytes()), environments))
        if len(seen) == 1:  # while the first machine trains, another one joins
            launching.join(shared, TWO, seconds=0)
        return

    monkeypatch.setattr(launching, "_run", once)
    launching.lead(JOB, shared, TWO)
    assert [job for job, _ in seen] == [JOB, JOB]
    assert [[e["TF_CONFIG"] for e in given] for _, given in seen] == [[TWO["TF_CONFIG"]]] * 2
    with pytest.raises(SkewlessError, match="no run came to its training within 0 minutes"):
        launching.join(shared, TWO, seconds=0)


@pytest.mark.parametrize("config", ["", '{"cluster": {"worker": ["a:1"]}}'])
def test_a_machine_that_is_alone_has_nobody_to_train_with(tmp_path, config):
    with pytest.raises(ConfigError, match="TF_CONFIG does not name several machines"):
        launching.join(str(tmp_path / "job.json"), {"TF_CONFIG": config}, seconds=0)
