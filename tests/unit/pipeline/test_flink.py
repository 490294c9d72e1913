"""A Flink cluster is asked what it has; what it lacks is named with the key to change."""

import json

import pytest

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
    """Answer as a job manager does; what a path answers can be changed."""
    answers = {
        "/config": {"flink-version": "1.20.5"},
        "/overview": {"slots-total": 2},
        "/taskmanagers": {"taskmanagers": [manager()]},
        "/jobmanager/config": [{"key": "restart-strategy.type", "value": "fixed-delay"}],
    }
    with served(lambda path: json.dumps(answers[path]).encode()) as address:
        yield answers, address


def test_a_cluster_that_has_everything_passes(cluster):
    _, master = cluster
    section = Flink(master=master)
    flink.check(section)
    assert flink.slots(section) == 2


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


def test_the_jobs_of_a_run_are_cancelled_and_no_others():
    names = {"a": "taxi-1-ingest", "b": "taxi-1-transform", "c": "taxi-12-ingest", "d": "other"}
    states = {"a": "FINISHED", "b": "RUNNING", "c": "RUNNING", "d": "RUNNING"}
    jobs = [{"jid": jid, "name": name, "state": states[jid]} for jid, name in names.items()]
    cancelled: list[str] = []
    with served(lambda _: json.dumps({"jobs": jobs}).encode(), cancelled.append) as master:
        flink.cancel(Flink(master=master), "taxi-1")
    assert cancelled == ["/jobs/b?mode=cancel"]


def test_a_cluster_that_is_gone_is_told_in_the_log(caplog):
    flink.cancel(Flink(master="http://localhost:1"), "taxi-1")
    assert "the jobs of taxi-1 cannot be cancelled" in caplog.text
