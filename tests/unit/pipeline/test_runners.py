"""The choices of the command line and pipeline.yaml are checked before heavy imports."""

import socket

import pytest

from pipeline import engines, runners
from pipeline.hosts import is_here
from schemas.errors import ConfigError
from schemas.runners import Flink, Pool, Process, Runner

FLINK = Runner.model_validate({"use": "flink", "flink": {"master": "http://localhost:1"}})


def refused(do, *arguments):
    with pytest.raises(ConfigError) as caught:
        do(*arguments)
    return str(caught.value)


def test_pipeline_yaml_chooses_where_the_command_line_does_not():
    assert runners.choose(FLINK).name == "flink"
    assert runners.choose(FLINK, "direct").name == "direct"
    assert runners.choose(Runner(), "prism").name == "prism"


def test_set_replaces_keys_of_the_section():
    given = runners.choose(FLINK, None, ["parallelism=4", "workers=pool", "version=1.20"]).section
    assert given == Flink(
        master="http://localhost:1", parallelism=4, workers=Pool(), version="1.20"
    )


def test_set_reaches_into_workers_of_another_kind():
    settings = ["workers.process.command=boot", "workers.process.environment.PATH=/bin"]
    given = runners.choose(FLINK, None, settings).section
    assert isinstance(given, Flink)
    assert given.workers == Process(command="boot", environment={"PATH": "/bin"})


@pytest.mark.parametrize(
    ("name", "settings", "beam", "said"),
    [
        ("flink", ["mastr=x"], [], "unknown key 'mastr'; did you mean 'master'?"),
        ("flink", ["parallelism=many"], [], "expected a whole number, got 'many'"),
        ("flink", ["master=flink:8081"], [], "expected http://HOST:PORT, such as http://local"),
        ("prism", ["job_endpoint=8099"], [], "expected a text, got 8099"),
        ("spark", ["master=yarn"], [], "expected spark://HOST:PORT or local[CORES], got 'yarn'"),
        ("dataflow", ["temp_location=/tmp"], [], "expected a folder, such as gs://BUCKET/temp"),
        ("flink", ["master"], [], "--set takes KEY=VALUE, got 'master'"),
        ("flink", ["master=[1"], [], "is not YAML"),
        ("flink", [], ["--flink_master=x"], "use --set master=…"),
        ("flink", [], ["--runner=SparkRunner"], "the runner is named twice"),
    ],
)
def test_invalid_choices_are_reported(name, settings, beam, said):
    assert said in refused(runners.choose, Runner(), name, settings, beam)


def test_beams_own_options_pass():
    assert runners.choose(Runner(), beam=["--runner=FlinkRunner", "--flink_master=x"]).beam == (
        "--runner=FlinkRunner",
        "--flink_master=x",
    )


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("flink", ["master=http://localhost:1"], "no Flink answers at http://localhost:1"),
        ("flink", ["job_server_jar=/no/such.jar"], "there is no job server '/no/such.jar'"),
        ("flink", ["job_endpoint=localhost:1"], "nobody answers at localhost:1"),
        ("spark", ["master=spark://localhost:1"], "nobody answers at localhost:1"),
        ("prism", ["binary=/no/prism"], "there is no '/no/prism'"),
        ("dataflow", ["region=us-east1"], "lacks project, temp_location"),
    ],
)
def test_an_engine_that_is_not_there_is_reported(monkeypatch, name, settings, said):
    monkeypatch.setattr("shutil.which", {"java": "/bin/java"}.get)
    assert said in refused(engines.check, runners.choose(Runner(), name, settings))


def test_a_missing_java_is_reported(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert "there is no java on the PATH" in refused(engines.check, runners.choose(FLINK))


def test_workers_that_an_engine_cannot_have_are_reported():
    with socket.create_server(("localhost", 0)) as server:
        endpoint = f"job_endpoint=localhost:{server.getsockname()[1]}"
        for workers, said in (
            ("workers.pool.address=localhost:1", "nobody answers at localhost:1"),
            ("workers.process.command=/no/boot", "there is no command '/no/boot'"),
        ):
            chosen = runners.choose(Runner(), "spark", [endpoint, workers])
            assert said in refused(engines.check, chosen)
    settings = ["workers.process.command=/boot"]
    assert "Prism cannot start" in refused(runners.choose, Runner(), "prism", settings)


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://localhost:8081", True),
        ("127.0.0.1:1", True),
        ("local[*]", True),
        ("spark://192.0.2.1:7077", False),  # not assigned to any machine: RFC 5737
        ("no.such.host.invalid:1", False),
    ],
)
def test_whether_an_address_is_of_this_machine(address, here):
    assert is_here(address) is here
