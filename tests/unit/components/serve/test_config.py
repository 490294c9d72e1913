"""The models and versions that options and configuration files select."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.serve.config import ModelConfig, Policy, check, labels_of, policy_of
from components.serve.config_file import read
from components.serve.folders import Base
from schemas.errors import ConfigError


def test_policies_choose_among_what_is_there():
    there = [1, 3, 20]
    chosen = {text: policy_of(text).chosen(there) for text in ("latest", "latest:2", "all", "1,2")}
    assert chosen == {"latest": [20], "latest:2": [20, 3], "all": [20, 3, 1], "1,2": [1]}
    assert Policy().chosen([]) == []


@pytest.mark.parametrize("text", ["", "latest:0", "latest:-1", "newest", "1,", "1;2", "½"])
def test_an_invalid_policy_is_refused(text):
    with pytest.raises(ConfigError, match="no version policy"):
        policy_of(text)


@given(st.sets(st.integers(0, 10**17), min_size=1, max_size=5))
def test_any_versions_can_be_named(versions):
    assert policy_of(",".join(map(str, versions))).chosen(sorted(versions)) == sorted(
        versions, reverse=True
    )


def test_labels_name_versions():
    assert labels_of(["stable=3", "canary=4"]) == {"stable": 3, "canary": 4}
    for wrong in (["stable"], ["=3"], ["stable=x"], ["a/b=1"], ["a=1", "a=2"]):
        with pytest.raises(ConfigError):
            labels_of(wrong)


def test_a_configuration_is_checked_against_the_folder(serving):
    base = Base(str(serving))
    check(ModelConfig("taxi", base, Policy(), {"stable": 3}))
    with pytest.raises(ConfigError, match="there is no version 4") as caught:
        check(ModelConfig("taxi", base, policy_of("3,4")))
    assert caught.value.expected == "one of: 3"
    with pytest.raises(ConfigError, match="'stable' points to version 2, which is not served"):
        check(ModelConfig("taxi", base, Policy(), {"stable": 2}))


CONFIG = """
model_config_list {{
  config {{
    name: "taxi"
    base_path: "{path}"
    model_platform: "tensorflow"
    model_version_policy {{ specific {{ versions: 3 }} }}
    version_labels {{ key: "stable" value: 3 }}
  }}
  config {{ name: "tips" base_path: "{path}" model_version_policy {{ all {{}} }} }}
}}
"""


def test_tensorflow_servings_own_file_is_read(serving, tmp_path):
    file = tmp_path / "models.config"
    file.write_text(CONFIG.format(path=serving))
    base = Base(str(serving))
    assert read(str(file)) == (
        ModelConfig("taxi", base, Policy(specific=frozenset({3})), {"stable": 3}),
        ModelConfig("tips", base, Policy(latest=None)),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no model is configured"),
        ("model_config_list { config { nam: 'x' } }", "not a ModelServerConfig: 1:30"),
        ("model_config_list { config { name: 'a/b' } }", "cannot be named 'a/b'"),
        (
            "model_config_list { config { name: 'a' } config { name: 'a' } }",
            "'a' is configured twice",
        ),
        ("model_config_list { config { name: 'a' base_path: '/nothing' } }", "no folder /nothing"),
        (
            "model_config_list { config { name: 'a' model_platform: 'other' } }",
            "has the platform 'other'",
        ),
        (
            (
                "model_config_list { config { name: 'a' base_path: 'BASE' model_version_policy {"
                " specific {} } } }"
            ),
            "names none",
        ),
        (
            (
                "model_config_list { config { name: 'a' base_path: 'BASE' version_labels {"
                " key: 'x' value: 2 } } }"
            ),
            "'x' points to version 2",
        ),
    ],
)
def test_a_file_that_asks_for_what_is_not_there_is_refused(text, message, serving, tmp_path):
    file = tmp_path / "models.config"
    file.write_text(text.replace("BASE", str(serving)))
    with pytest.raises(ConfigError, match=message):
        read(str(file))


def test_a_file_that_cannot_be_read_is_reported(tmp_path):
    (tmp_path / "latin").write_bytes(b"\xff")
    for name in ("nothing", "latin"):
        with pytest.raises(ConfigError, match="cannot be read"):
            read(str(tmp_path / name))
