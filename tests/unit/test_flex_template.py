"""The flex template's metadata is valid for Dataflow, and its launcher understands it."""

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pipeline.cli import cli

TEMPLATE = Path(__file__).resolve().parents[2] / "deploy/dataflow"
METADATA = json.loads((TEMPLATE / "metadata.json").read_text(encoding="utf-8"))
COMMAND = runpy.run_path(str(TEMPLATE / "launch.py"))["command"]
PARAMETERS = {each["name"]: each for each in METADATA["parameters"]}

# https://cloud.google.com/dataflow/docs/reference/rest/v1b3/TemplateMetadata
TEMPLATE_FIELDS = {
    "name": str,
    "description": str,
    "parameters": list,
    "streaming": bool,
    "supportsAtLeastOnce": bool,
    "supportsExactlyOnce": bool,
    "defaultStreamingMode": str,
}
PARAMETER_FIELDS = {
    "name": str,
    "label": str,
    "helpText": str,
    "isOptional": bool,
    "regexes": list,
    "paramType": str,
    "defaultValue": str,
}
REQUIRED_FIELDS = {"name", "label", "helpText"}
PARAM_TYPES = {"TEXT", "PUBSUB_TOPIC", "PUBSUB_SUBSCRIPTION", "NUMBER"}

GOOD = {
    "subscription": "projects/ours/subscriptions/rows",
    "topic": "projects/ours/topics/scores",
    "dead_letters": "projects/ours/topics/dead",
    "sdk_container_image": "europe-docker.pkg.dev/ours/images/skewless-template:1",
    "model": "/models/taxi",
    "key": "id,user",
    "timestamp_attribute": "at",
    "wait": "0.1",
}
BAD = {
    "subscription": "rows",
    "topic": "projects/ours/subscriptions/scores",
    "dead_letters": "projects//topics/dead",
    "sdk_container_image": "skewless",
    "model": "models",
    "key": "id,,user",
    "timestamp_attribute": "at noon",
    "wait": "soon",
}


def matches(name, value):
    return all(re.fullmatch(regex, value) for regex in PARAMETERS[name]["regexes"])


def require_fields(given, known):
    assert given.keys() <= known.keys()
    for key, value in given.items():
        assert isinstance(value, known[key]), key


def test_the_metadata_has_fields_that_google_documents():
    require_fields(METADATA, TEMPLATE_FIELDS)
    assert METADATA["defaultStreamingMode"] in {"EXACTLY_ONCE", "AT_LEAST_ONCE"}
    for parameter in METADATA["parameters"]:
        require_fields(parameter, PARAMETER_FIELDS)
        assert parameter.keys() >= REQUIRED_FIELDS
        assert parameter["paramType"] in PARAM_TYPES
        assert parameter["helpText"].endswith(".")


def test_googles_own_client_reads_the_metadata():
    dataflow = pytest.importorskip(
        "google.cloud.dataflow", reason="Beam 2.75 and newer bring Google's client"
    )
    read = dataflow.TemplateMetadata.from_json(json.dumps(METADATA), ignore_unknown_fields=False)
    assert [parameter.name for parameter in read.parameters] == list(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_each_parameter_takes_what_is_right_and_no_other(name):
    assert matches(name, GOOD[name])
    assert not matches(name, BAD[name])
    assert "defaultValue" not in PARAMETERS[name] or matches(name, PARAMETERS[name]["defaultValue"])


def test_the_launcher_hands_each_parameter_on():
    given = [f"--{name}={value}" for name, value in GOOD.items()]
    words = COMMAND([*given, "--region=europe-west1"])
    ours, beam = words[: words.index("--")], words[words.index("--") + 1 :]
    stream = cli.get_command(click.Context(cli), "stream")
    assert stream is not None
    parsed = stream.make_context("stream", ours[1:]).params
    expected = {**GOOD, "keys": ("id", "user"), "run_or_folder": GOOD["model"], "wait": 0.1}
    for name in ("model", "key", "sdk_container_image"):
        del expected[name]
    assert {key: parsed[key] for key in expected} == expected
    assert f"--sdk_container_image={GOOD['sdk_container_image']}" in beam
    assert "--region=europe-west1" in beam


def test_the_launcher_leaves_out_what_is_not_given():
    words = COMMAND(["--topic=t"])
    assert words[: words.index("--")] == ["stream", "/models", "--topic", "t"]


def test_the_image_has_what_the_launcher_is_pointed_to():
    lines = (TEMPLATE / "Dockerfile").read_text(encoding="utf-8").splitlines()
    (pointed,) = (
        line.partition("=")[2] for line in lines if "FLEX_TEMPLATE_PYTHON_PY_FILE" in line
    )
    assert f"COPY launch.py {pointed}" in lines


def test_hadolint_finds_nothing():
    linter = [str(Path(sys.executable).parent / "hadolint"), "--no-color", "Dockerfile"]
    found = subprocess.run(linter, cwd=TEMPLATE, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")
