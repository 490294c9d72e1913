"""A Dataflow job has all that its workers need: replaying what was staged gives the right result.

The jobs API and the bucket are on this machine, the clients are Beam's. Google is not contacted.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.runners.dataflow.dataflow_runner import DataflowRunner

from components import runner, versions
from components.engine_errors import EngineError
from pipeline import dataflow, engines, packages
from pipeline.runners import Choice
from schemas.catalog import Dataset
from schemas.errors import StoreError
from schemas.runners import Dataflow
from tests.engines import stages
from tests.engines.dataflow import asking
from tests.engines.dataflow.machine import python_name
from tests.engines.dataflow.service import BUCKET, Cloud
from tests.engines.same import require_same
from tests.engines.stages import Made

pytestmark = [pytest.mark.engine]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_beam_finds_nothing_wrong_with_the_options(cloud: Cloud) -> None:
    given = {"project": "ours", "region": "europe-west1", "temp_location": f"gs://{BUCKET}/temp"}
    section = Dataflow(
        **given, image=asking.IMAGE, service_account="workers@ours.iam.gserviceaccount.com"
    )
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
    assert set(job.staged) == {
        "requirements.txt",
        "extra_packages.txt",
        package,
        asking.ENVIRONMENT,
    }
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

    # kept in the bucket by its hash: built again it is the same, and so is not sent again
    kept = [name for name in cloud.names() if "/artifact_cache/" in name]
    assert digest(wheel.read_bytes()) in [
        digest(cloud.read(f"gs://{BUCKET}/{name}")) for name in kept
    ]


def test_a_package_of_another_version_is_refused_by_the_workers(
    direct: Made, dataset: Dataset, on_dataflow: Callable[..., Choice], tmp_path: Path
) -> None:
    root = packages.own_setup_file().parent
    for name in ("schemas", "components", "pipeline"):
        shutil.copytree(root / name, tmp_path / name)
    shutil.copy(root / "setup.py", tmp_path)
    (tmp_path / "components/validate/files.py").unlink()  # imported by the workers
    made = replace(direct, statistics=tmp_path / "statistics")
    on = on_dataflow(f"setup_file={tmp_path / 'setup.py'}")
    with engines.running(on, "taxi"), pytest.raises(EngineError) as caught:
        stages.measure(dataset, made)
    theirs, ours = (versions.digest(folder) for folder in (tmp_path, root))
    assert caught.value.what == (
        f"statistics failed on the engine: {versions.REFUSED} (skewless is {theirs}, not {ours})"
    )


def test_an_image_without_this_project_is_noticed(
    direct: Made, dataset: Dataset, cloud: Cloud, on_dataflow: Callable[..., Choice], tmp_path: Path
) -> None:
    cloud.images["bare"] = []
    made = replace(direct, statistics=tmp_path / "statistics")
    with engines.running(on_dataflow("image=bare"), "taxi"), pytest.raises(EngineError) as caught:
        stages.measure(dataset, made)
    assert caught.value.what == (
        "statistics failed on the engine: the workers lack a package that the command has"
        " (ModuleNotFoundError: No module named 'components')"
    )


def test_a_job_that_is_cancelled_in_the_console_is_not_a_success(
    cloud: Cloud, on_dataflow: Callable[..., Choice]
) -> None:
    cloud.ends = {"counting": ("JOB_STATE_CANCELLED", ())}
    with (
        pytest.raises(
            EngineError, match=r"^counting did not finish: its job was cancelled"
        ) as caught,
        engines.running(on_dataflow(f"image={asking.IMAGE}"), "taxi"),
        runner.opened("counting") as pipeline,
    ):
        _ = pipeline | beam.Create([1])
    assert caught.value.where == asking.page_of(cloud.jobs[-1])


def test_a_bucket_that_is_missing_when_a_job_is_sent_is_reported_at_once(
    cloud: Cloud, on_dataflow: Callable[..., Choice]
) -> None:
    before = len(cloud.jobs)
    with (
        pytest.raises(StoreError, match=r"^there is no bucket 'gone'"),
        engines.running(
            on_dataflow(f"image={asking.IMAGE}", "temp_location=gs://gone/temp"), "taxi"
        ),
        runner.opened("counting") as pipeline,
    ):
        _ = pipeline | beam.Create([1])
    assert len(cloud.jobs) == before
