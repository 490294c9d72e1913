"""The resources of a Flink cluster are checked; the error has the key to change."""

import json
import logging
import queue

import pytest

from components import progress
from pipeline import flink
from schemas.errors import ConfigError
from schemas.runners import Flink
from tests.unit.pipeline.pages import served

MIB = 1 << 20


def manager(slots=2, network=512, off_heap=1024):
    memory = {"networkMemory": network * MIB, "taskOffHeap": off_heap * MIB}
    return {"id": "host:1-a", "slotsNumber": slots, "memoryConfiguration": memory}


@pytest.fixture
def cluster():
    """Answer like a job manager; the response of a path can be changed."""
    answers = {
        "/config": {"flink-version": "1.20.5"},
        "/taskmanagers": {"taskmanagers": [manager()]},
        "/jobmanager/config": [{"key": "restart-strategy.type", "value": "fixed-delay"}],
    }
    with served(lambda path: json.dumps(answers[path]).encode()) as address:
        yield answers, address


def test_a_cluster_that_has_everything_passes(cluster):
    _, master = cluster
    section = Flink(master=master)
    flink.check(section)
    assert flink.slots(section) == (2, 2)


def test_by_default_all_slots_of_all_task_managers_are_used(cluster):
    answers, master = cluster
    answers["/taskmanagers"] = {"taskmanagers": [manager(slots=4), manager(slots=2)]}
    assert flink.slots(Flink(master=master)) == (6, 4)
    assert flink.slots(Flink(master=master, parallelism=5)) == (5, 4)
    assert flink.slots(Flink(master=master, parallelism=1)) == (1, 1)


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        ("/config", {"flink-version": "1.19.3"}, "set version to '1.19'"),
        ("/config", {}, "the cluster runs Flink unknown, not 1.20"),
        ("/config", [1], "the cluster runs Flink unknown"),
        ("/jobmanager/config", [], "set restart-strategy.type to fixed-delay"),
        ("/taskmanagers", {"taskmanagers": []}, "0 task slots in 0 task managers, and 2"),
        ("/taskmanagers", {"taskmanagers": [manager(slots=1)]}, "1 task slots in 1 task managers"),
        (
            "/taskmanagers",
            {"taskmanagers": [manager(), manager(network=64)]},
            "taskmanager.memory.network.min and .max in Flink's configuration",
        ),
        (
            "/taskmanagers",
            {"taskmanagers": [manager(off_heap=0)]},
            "set taskmanager.memory.task.off-heap.size to 512m",
        ),
    ],
)
def test_what_a_cluster_lacks_is_named(cluster, path, answer, said):
    answers, master = cluster
    answers[path] = answer
    with pytest.raises(ConfigError) as caught:
        flink.check(Flink(master=master, parallelism=2))
    assert said in str(caught.value)


class ProgressEvents(logging.Handler):
    """Receives the progress events of a run."""

    def __init__(self):
        super().__init__()
        self._queue: queue.SimpleQueue[progress.Event] = queue.SimpleQueue()
        self.events: list[progress.Event] = []

    def emit(self, record):
        self._queue.put(record.event)

    def until(self, state):
        """Wait until a job is in a state."""
        while not self.events or self.events[-1].values["state"] != state:
            self.events.append(self._queue.get(timeout=10))


@pytest.fixture
def progress_events():
    handler, level = ProgressEvents(), progress.LOGGER.level
    progress.LOGGER.addHandler(handler)
    progress.LOGGER.setLevel(logging.INFO)
    yield handler
    progress.LOGGER.removeHandler(handler)
    progress.LOGGER.setLevel(level)


@pytest.fixture
def jobs(monkeypatch):
    """The jobs of a cluster, by id; its address; and the requested changes."""
    monkeypatch.setattr(flink, "LOOK_EVERY", 0.01)
    jobs: dict[str, dict[str, object]] = {}
    changed: list[str] = []

    def overview(_):
        return json.dumps({"jobs": [{"jid": jid, **job} for jid, job in jobs.items()]}).encode()

    with served(overview, changed.append) as master:
        yield jobs, Flink(master=master), changed


def job(name, state="RUNNING", **tasks):
    return {"name": name, "state": state, "tasks": {"total": 9, "finished": 0, **tasks}}


def test_the_jobs_of_a_run_that_ends_early_are_cancelled_and_no_others(jobs):
    there, section, changed = jobs
    there |= {"a": job("taxi-1-ingest", "FINISHED"), "b": job("taxi-1-transform")}
    there |= {"c": job("taxi-12-ingest"), "d": job("other")}
    with flink.followed(section, "taxi-1"):
        pass
    assert not changed
    with pytest.raises(KeyboardInterrupt), flink.followed(section, "taxi-1"):
        raise KeyboardInterrupt
    assert changed == ["/jobs/b?mode=cancel"]


def test_the_progress_of_a_job_and_its_waiting_are_reported(jobs, progress_events):
    there, section, _ = jobs
    with flink.followed(section, "taxi-1"):
        there["a"] = job("taxi-1-transform", finished=4, running=1)
        progress_events.until("4 of 9 tasks done")
        there["a"] = job("taxi-1-transform", finished=4, scheduled=2)
        progress_events.until("waits for task slots")
        there["a"] = job("taxi-1-transform", finished=6, running=1)
        progress_events.until("6 of 9 tasks done")
    assert {event.stage for event in progress_events.events} == {"transform"}


def test_a_stopped_cluster_is_reported_in_the_log(caplog):
    section = Flink(master="http://localhost:1")
    with pytest.raises(ValueError, match="first"), flink.followed(section, "taxi-1"):
        raise ValueError("first")
    assert "the state of the jobs of taxi-1 is unknown" in caplog.text
