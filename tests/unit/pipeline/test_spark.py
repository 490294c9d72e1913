"""The workers of a Spark master are checked; the error has the key to change."""

import json
import zipfile

import pytest

from pipeline import spark
from schemas.errors import ConfigError
from schemas.runners import Spark
from tests.unit.pipeline.pages import served

MASTER = "spark://localhost:7077"


def worker(cores=2, memory=2048, cores_free=2, memory_free=2048, state="ALIVE"):
    free = {"coresfree": cores_free, "memoryfree": memory_free}
    return {"cores": cores, "memory": memory, "state": state, **free}


@pytest.fixture
def cluster():
    """Answer like a master's page, whose content can be changed."""
    state = {
        "url": MASTER,
        "status": "ALIVE",
        "workers": [worker()],
        "activeapps": [{"name": "other"}],
    }

    def page(path):
        title = '<span class="version" style="margin-right: 15px;">3.2.2</span>'
        return (json.dumps(state) if path == "/json/" else title).encode()

    with served(page) as address:
        yield state, address


def refused(page, **keys):
    with pytest.raises(ConfigError) as caught:
        spark.check(Spark(master=MASTER, page=page, **keys))
    return str(caught.value)


def test_a_cluster_that_has_everything_passes(cluster):
    _, page = cluster
    spark.check(Spark(master=MASTER, page=page))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"status": "STANDBY"}, "the master is STANDBY"),
        ({"workers": []}, "the master has no workers"),
        ({"workers": [worker(state="DEAD")]}, "the master has no workers"),
        ({"workers": [worker(memory=1023)]}, "lower spark.executor.memory"),
        ({"workers": [worker(cores_free=0)]}, "other applications use the workers' cores or"),
        ({"workers": [worker(memory_free=512)]}, "memory: other"),
        ({"url": "http://x"}, "it answers, but not as a Spark master does"),
    ],
)
def test_what_a_cluster_lacks_is_named(cluster, changed, said):
    state, page = cluster
    state.update(changed)
    assert said in refused(page)


def test_an_executor_that_fits_no_worker_is_refused(cluster):
    _, page = cluster
    said = refused(page, conf={"spark": {"executor": {"memory": "4g", "cores": 3}}})
    assert "no worker has room for an executor of 4096 MiB and 3 cores" in said
    assert "2048 MiB and 2 cores" in said
    assert "'much' is not a size" in refused(page, conf={"spark.executor.memory": "much"})


@pytest.mark.parametrize(("version", "fits"), [("3.2.4", True), ("3.5.1", False)])
def test_a_job_server_of_another_spark_is_refused(cluster, tmp_path, version, fits):
    _, page = cluster
    jar = tmp_path / "job-server.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("spark-version-info.properties", f"version={version}\nuser=x\n")
    section = Spark(master=MASTER, page=page, job_server_jar=str(jar))
    if fits:
        spark.check(section)
    else:
        said = refused(page, job_server_jar=str(jar))
        assert f"the cluster runs Spark 3.2.2, and the job server is for Spark {version}" in said
        assert "a job server built with Spark 3.2" in said


def test_a_page_that_was_only_guessed_is_not_held_against_a_run(cluster, monkeypatch):
    state, page = cluster
    monkeypatch.setattr(spark, "PAGE", int(page.rpartition(":")[2]))
    state["workers"] = []
    with pytest.raises(ConfigError, match="no workers"):
        spark.check(Spark(master=MASTER))
    spark.check(Spark(master="spark://localhost:7078"))  # the page belongs to another master
    monkeypatch.setattr(spark, "PAGE", 1)
    spark.check(Spark(master=MASTER))
    assert "no Spark master's page at http://localhost:1" in refused("http://localhost:1")


def test_spark_s_settings_become_java_options():
    section = Spark(conf={spark.JAVA_OPTIONS: "-verbose", "spark.cores.max": 2})
    options = spark.properties(section)
    assert "-Dspark.cores.max=2" in options
    assert f"-D{spark.JAVA_OPTIONS}={' '.join([*spark.OPENS, '-verbose'])}" in options
    assert set(spark.OPENS) < set(options)
