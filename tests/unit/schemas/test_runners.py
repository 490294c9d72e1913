"""The section `runner:` accepts what runs and explains what it refuses."""

import pydantic
import pytest

from schemas.runners import Docker, Loopback, Pool, Process, Runner


def flink(**values):
    return Runner.model_validate({"flink": values}).flink


def test_the_default_is_this_process():
    assert Runner().use == "direct"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("loopback", Loopback()),
        ("pool", Pool(address="localhost:50000")),
        ({"pool": {"address": "host:1"}}, Pool(address="host:1")),
        ({"pool": None}, Pool()),
        ({"kind": "pool"}, Pool()),
        ({"process": {"command": "/opt/boot"}}, Process(command="/opt/boot")),
        ({"docker": {"image": "me/it:1"}}, Docker(image="me/it:1")),
    ],
)
def test_workers_have_a_short_form(written, meant):
    assert flink(workers=written).workers == meant


@pytest.mark.parametrize(
    ("yaml", "version"), [(1.19, "1.19"), (1.2, "1.20"), ("1.20", "1.20"), ("1.18", "1.18")]
)
def test_a_version_may_be_a_number_in_yaml(yaml, version):
    assert flink(version=yaml).version == version


@pytest.mark.parametrize(
    ("section", "values", "said"),
    [
        ("flink", {"mastr": "x"}, "did you mean 'master'?"),
        ("flink", {"master": "localhost:8081"}, "master"),
        ("flink", {"version": "2.0"}, "'1.20'"),
        ("flink", {"parallelism": 0}, "greater than or equal to 1"),
        ("flink", {"workers": "loop"}, "did you mean 'loopback'?"),
        ("flink", {"workers": {"process": {}}}, "command"),
        ("flink", {"workers": {"pool": {"address": "nowhere"}}}, "address"),
        ("spark", {"master": "yarn"}, "master"),
        ("spark", {"conf": {"executor.memory": "2g"}}, "conf"),
        (
            "spark",
            {"conf": {"spark.ui.port": 1}, "job_endpoint": "h:1"},
            "conf is for the job server",
        ),
        ("dataflow", {"temp_location": "/tmp"}, "temp_location"),
    ],
)
def test_what_cannot_be_is_refused(section, values, said):
    with pytest.raises(pydantic.ValidationError, match="(?s).*" + said.replace("?", r"\?")):
        Runner.model_validate({section: values})


def test_spark_s_settings_may_be_nested_or_dotted():
    given = {"spark": {"cores": {"max": 2}}, "spark.eventLog.enabled": False}
    conf = Runner.model_validate({"spark": {"conf": given}}).spark.conf
    assert conf == {"spark.cores.max": "2", "spark.eventLog.enabled": "false"}
