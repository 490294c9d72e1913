"""The flex template's launcher stages a job of the stream, which Dataflow starts."""

import json
import runpy
from pathlib import Path

import pytest
from apache_beam.portability.api import beam_runner_api_pb2

from pipeline import cli
from tests.engines.dataflow.service import BUCKET, Cloud

pytestmark = pytest.mark.component

LAUNCH = Path(__file__).resolve().parents[3] / "deploy/dataflow/launch.py"
IMAGE = "europe-docker.pkg.dev/ours/images/skewless-template:1"


@pytest.fixture
def cloud(tmp_path, monkeypatch):
    with Cloud(tmp_path) as one:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", one.storage)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(one.credentials()))
        yield one


def test_the_launcher_leaves_a_job_of_the_stream(cloud, serving, capsys):
    command = runpy.run_path(str(LAUNCH))["command"]
    folder = f"gs://{BUCKET}/staging"
    # the options that Dataflow's launcher adds to the template's parameters
    own = [
        "--runner=DataflowRunner",
        "--project=project-of-ours",
        "--region=europe-west1",
        "--job_name=taxi",
    ]
    own += [f"--temp_location={folder}", f"--template_location={folder}/job_object"]
    own += [f"--dataflow_endpoint={cloud.endpoint}"]
    given = [f"--model={serving}", "--subscription=projects/project-of-ours/subscriptions/rows"]
    given += [
        "--topic=projects/project-of-ours/topics/scores",
        "--dead_letters=projects/project-of-ours/topics/dead",
    ]
    given += [f"--sdk_container_image={IMAGE}"]
    assert cli.main(command([*given, *own])) == 0, capsys.readouterr().err

    assert not cloud.jobs  # the service starts it from the staged files
    job = json.loads(cloud.read(f"{folder}/job_object"))
    assert (job["name"], job["type"]) == ("taxi", "JOB_TYPE_STREAMING")
    (pool,) = job["environment"]["workerPools"]
    assert pool["workerHarnessContainerImage"] == IMAGE
    assert pool["numThreadsPerWorker"] == 2
    options = job["environment"]["sdkPipelineOptions"]["options"]
    graph = beam_runner_api_pb2.Pipeline.FromString(cloud.read(options["pipelineUrl"]))
    names = {step.unique_name.split("/")[0] for step in graph.components.transforms.values()}
    assert {"Messages", "Score", "WriteAnswers", "WriteDeadLetters"} <= names
    packages = [e.dependencies for e in graph.components.environments.values()]
    assert b".whl" not in b"".join(p.SerializeToString() for each in packages for p in each)
