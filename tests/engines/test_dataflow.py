"""A job for Dataflow holds all that its workers need: replayed from what was staged, it is right.

The jobs API and the bucket are this machine's, the clients Beam's own. No Google is asked.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.runners.dataflow.dataflow_runner import DataflowRunner

from components.engine_errors import EngineError
from pipeline import dataflow, engines, packages, runners
from pipeline.folders import Folders
from pipeline.run import run
from pipeline.runners import Choice
from schemas.catalog import Dataset
from schemas.errors import SkewlessError
from schemas.runners import Dataflow, Runner
from tests.engines import stages
from tests.engines.dataflow.machine import python_name
from tests.engines.dataflow.service import BUCKET, Cloud
from tests.engines.same import require_same
from tests.engines.stages import Made

pytestmark = [pytest.mark.engine, pytest.mark.slow]

IMAGE = "europe-docker.pkg.dev/project-of-ours/images/skewless-worker:1"
ENVIRONMENT = (
    "submission_environment_dependencies.txt"  # Beam tells the service, for its eyes alone
)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud")) as one, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", one.storage)
        patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(one.credentials()))
        yield one


@pytest.fixture
def on_dataflow(cloud: Cloud) -> Callable[..., Choice]:
    """Choose the cloud, with further settings KEY=VALUE."""
    own = ["project=project-of-ours", "region=europe-west1", f"temp_location=gs://{BUCKET}/temp"]

    def choose(*settings: str) -> Choice:
        local = f"--dataflow_endpoint={cloud.endpoint}"
        return runners.choose(Runner(), "dataflow", [*own, *settings], [local])

    return choose


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project's package, as an image holds it."""
    return packages.build(packages.own_setup_file(), tmp_path_factory.mktemp("wheel"))


def test_beam_finds_nothing_wrong_with_the_options(cloud: Cloud) -> None:
    given = {"project": "ours", "region": "europe-west1", "temp_location": f"gs://{BUCKET}/temp"}
    section = Dataflow(**given, image=IMAGE, service_account="workers@ours.iam.gserviceaccount.com")
    arguments = [*dataflow.arguments(section), f"--job_name={dataflow.job_name('Taxi_1')}"]
    options = PipelineOptions(arguments)
    known = options.get_all_options(drop_default=True)
    assert {word.removeprefix("--").partition("=")[0] for word in arguments} <= known.keys()
    assert PipelineOptionsValidator(options, DataflowRunner()).validate() == []


def test_a_job_brings_this_project_as_a_package(
    direct: Made,
    dataset: Dataset,
    cloud: Cloud,
    on_dataflow: Callable[..., Choice],
    wheel: Path,
    tmp_path: Path,
) -> None:
    made = replace(direct, statistics=tmp_path / "statistics")
    on = on_dataflow()
    engines.check(on)
    with engines.running(on, "Taxi_1"):
        stages.measure(dataset, made)
    require_same(direct, made)

    job = cloud.jobs[-1]
    assert job.request["name"] == "taxi-1-statistics"
    assert job.image.endswith(f"/beam_{python_name()}_sdk:{beam.__version__}")
    package = "skewless-0.1.0-py3-none-any.whl"
    assert set(job.staged) == {"requirements.txt", "extra_packages.txt", package, ENVIRONMENT}
    assert job.staged["extra_packages.txt"].decode().split() == [package]
    assert f"apache-beam=={beam.__version__}" in job.staged["requirements.txt"].decode().split()

    wanted = {"machineType": "n2-standard-4", "diskSizeGb": 30, "numThreadsPerWorker": 2}
    assert {key: job.pool[key] for key in wanted} == wanted
    assert job.pool["autoscalingSettings"] == {"maxNumWorkers": 10}
    experiments = job.request["environment"]["experiments"]
    assert {"use_runner_v2", "use_multiple_sdk_containers"} <= set(experiments)
    assert job.options["temp_location"].startswith(f"gs://{BUCKET}/temp/taxi-1-statistics.")
    names = {step.unique_name for step in job.graph.components.transforms.values()}
    assert {"CountRows", "AsMeasured", "Measure", "Write"} <= {n.split("/")[0] for n in names}

    # kept in the bucket by its hash: built once more it is the same, and so is not sent again
    kept = [name for name in cloud.names() if "/artifact_cache/" in name]
    assert digest(wheel.read_bytes()) in [
        digest(cloud.read(f"gs://{BUCKET}/{name}")) for name in kept
    ]


def test_a_job_brings_nothing_where_an_image_has_it(
    direct: Made,
    dataset: Dataset,
    cloud: Cloud,
    on_dataflow: Callable[..., Choice],
    wheel: Path,
    tmp_path: Path,
) -> None:
    cloud.images[IMAGE] = [wheel]
    made = replace(direct, examples=tmp_path / "examples")
    on = on_dataflow(f"image={IMAGE}", "threads=1")
    engines.check(on)
    with engines.running(on, "taxi"):
        stages.ingest(dataset, made)
    require_same(direct, made)

    job = cloud.jobs[-1]
    assert job.image == job.pool["workerHarnessContainerImage"] == IMAGE
    assert set(job.staged) == {ENVIRONMENT}
    assert job.pool["numThreadsPerWorker"] == 1
    assert job.options["sdk_location"] == "container"


def test_a_package_that_lacks_a_module_is_noticed(
    direct: Made, dataset: Dataset, on_dataflow: Callable[..., Choice], tmp_path: Path
) -> None:
    root = packages.own_setup_file().parent
    for name in ("schemas", "components", "pipeline"):
        shutil.copytree(root / name, tmp_path / name)
    shutil.copy(root / "setup.py", tmp_path)
    (tmp_path / "components/validate/files.py").unlink()
    made = replace(direct, statistics=tmp_path / "statistics")
    on = on_dataflow(f"setup_file={tmp_path / 'setup.py'}")
    with engines.running(on, "taxi"), pytest.raises(EngineError) as caught:
        stages.measure(dataset, made)
    (first, *_) = str(caught.value).splitlines()
    assert first.startswith(
        "statistics failed on the engine: the workers lack a package that the command has"
    )
    assert "'components.validate.files'" in first


def test_a_run_that_was_refused_goes_on_from_there(
    dataset: Dataset,
    cloud: Cloud,
    on_dataflow: Callable[..., Choice],
    wheel: Path,
    tmp_path: Path,
) -> None:
    cloud.images[IMAGE] = [wheel]
    on = on_dataflow(f"image={IMAGE}")

    def states() -> dict[str, str]:
        newest = max(Folders.of(tmp_path, dataset.spec.name).runs.iterdir())
        summary = json.loads((newest / "summary.json").read_text(encoding="utf-8"))
        return {stage["name"]: stage["state"] for stage in summary["stages"]}

    message = "(b6e1): Current user cannot act as service account workers@project-of-ours"
    for refused, done in (("statistics", "ingest"), ("transform", "statistics")):
        cloud.refused = {refused: (403, message)}
        with pytest.raises(SkewlessError) as caught:
            run(dataset, output=str(tmp_path), on=on)
        (first, *_) = str(caught.value).splitlines()
        assert first.startswith(f"{refused} failed on the engine: who starts the job may not use")
        assert "roles/iam.serviceAccountUser" in str(caught.value)
        assert states()[refused] == "failed"
        assert states()[done] == "done"
    cloud.refused = {}
    assert states()["ingest"] == "cached"
