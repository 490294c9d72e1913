"""A job for Dataflow holds all that its workers need: replayed from what was staged, it is right.

The jobs API and the bucket are this machine's, the clients Beam's own. No Google is asked.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.runners.dataflow.dataflow_runner import DataflowRunner

from components import dataflow_job, files, progress, runner
from components.engine_errors import EngineError
from components.ingest import rejects
from pipeline import dataflow, engines, packages, runners
from pipeline.cli import main
from pipeline.folders import Folders
from pipeline.run import InterruptedRunError, run
from pipeline.runners import Choice
from pipeline.summary import Summary
from schemas.catalog import Dataset
from schemas.errors import SkewlessError, StoreError
from schemas.runners import Dataflow, Runner
from tests.engines import stages
from tests.engines.dataflow.machine import python_name
from tests.engines.dataflow.service import BUCKET, Cloud, Job
from tests.engines.same import require_same
from tests.engines.stages import Made

pytestmark = [pytest.mark.engine, pytest.mark.slow]

IMAGE = "europe-docker.pkg.dev/project-of-ours/images/skewless-worker:1"
OURS = ["project=project-of-ours", "region=europe-west1", f"temp_location=gs://{BUCKET}/temp"]
RUNS = f"gs://{BUCKET}/runs"
BAD = [b"one,two\n", b'"three\n']
NOT_ALLOWED = "Current user cannot act as service account workers@project-of-ours"
NO_ROOM = (
    "Startup of the worker pool in zone europe-west1-c failed to bring up any of the desired 1"
    " workers. ZONE_RESOURCE_POOL_EXHAUSTED: Instance creation failed: The zone"
    " 'projects/project-of-ours/zones/europe-west1-c' does not have enough resources available"
)
ENVIRONMENT = (
    "submission_environment_dependencies.txt"  # Beam tells the service, for its eyes alone
)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud")) as one, pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataflow_job, "LOOK_EVERY", 0.2)
        patch.setenv("STORAGE_EMULATOR_HOST", one.storage)
        patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(one.credentials()))
        yield one


@pytest.fixture
def on_dataflow(cloud: Cloud) -> Callable[..., Choice]:
    """Choose the cloud, with further settings KEY=VALUE."""
    return functools.partial(choose, cloud)


def choose(cloud: Cloud, *settings: str) -> Choice:
    local = f"--dataflow_endpoint={cloud.endpoint}"
    return runners.choose(Runner(), "dataflow", [*OURS, *settings], [local])


@pytest.fixture(scope="module")
def in_bucket(
    dataset: Dataset, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dataset]:
    """The taxi dataset with its rows in the bucket, and two more that are none."""
    local = tmp_path_factory.mktemp("source") / "trips.csv"
    local.write_bytes(Path(dataset.source_path).read_bytes() + b"".join(BAD))
    source = dataset.spec.source.model_copy(update={"path": f"gs://{BUCKET}/data/trips.csv"})
    files.copy_file(str(local), source.path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(local.parent))
        yield replace(dataset, spec=dataset.spec.model_copy(update={"source": source}))


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


@dataclass(frozen=True)
class Played:
    """What a run in the bucket came to, which was started anew after each failure.

    Attributes:
      errors: by the stage that failed.
      summary: of the last run, which went through.
      jobs: all that were sent.
    """

    errors: dict[str, SkewlessError]
    summary: Summary
    jobs: list[Job]


@pytest.fixture(scope="module")
def played(
    in_bucket: Dataset,
    cloud: Cloud,
    wheel: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Played]:
    """A run in the bucket that is interrupted, refused, without room for workers, and then well."""
    cloud.images[IMAGE] = [wheel]
    on = choose(cloud, f"image={IMAGE}", "threads=1")
    before, errors = len(cloud.jobs), {}

    def fail(stage: str) -> None:
        with pytest.raises(SkewlessError) as caught:
            run(in_bucket, output=RUNS, on=on)
        errors[stage] = caught.value
        cloud.refused, cloud.ends = {}, {}

    with in_sight(tmp_path_factory.mktemp("scratch")):
        cloud.ends = {"ingest": ("JOB_STATE_RUNNING", ())}
        with AtRunning(interrupt):
            fail("ingest")
        cloud.refused = {"statistics": (403, f"(b6e1): {NOT_ALLOWED}")}
        fail("statistics")
        cloud.ends = {"transform": ("JOB_STATE_FAILED", (NO_ROOM, "Workflow failed."))}
        fail("transform")
        yield Played(errors, run(in_bucket, output=RUNS, on=on), cloud.jobs[before:])


@contextlib.contextmanager
def in_sight(folder: Path) -> Iterator[None]:
    """Have transform write to where this process and the machines see it, and then to the bucket.

    TensorFlow has a client of its own for gs://, which asks Google alone.
    """
    shared = runner.shared_folder

    def local(parent: str, stage: str, *rest: Any, **named: Any) -> AbstractContextManager[str]:
        return shared(str(folder) if stage == "transform" else parent, stage, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "shared_folder", local)
        yield


class AtRunning(logging.Handler):
    """Do something when it is told that a job is running, as a context manager."""

    def __init__(self, do: Callable[[], None]) -> None:
        super().__init__()
        self._do = do

    def emit(self, record: logging.LogRecord) -> None:
        event: progress.Event = record.event  # type: ignore[attr-defined]
        if event.kind == "job" and event.values.get("state") == "running":
            self._do()

    def __enter__(self) -> None:
        progress.LOGGER.addHandler(self)

    def __exit__(self, *_: object) -> None:
        progress.LOGGER.removeHandler(self)


def interrupt() -> None:
    """Press Ctrl-C."""
    signal.raise_signal(signal.SIGINT)


def page_of(job: Job) -> str:
    place = f"europe-west1/{job.request['id']}"
    return f"https://console.cloud.google.com/dataflow/jobs/{place}?project=project-of-ours"


def test_a_job_brings_nothing_where_an_image_has_it(played: Played) -> None:
    job = played.jobs[-1]
    assert job.image == job.pool["workerHarnessContainerImage"] == IMAGE
    assert set(job.staged) == {ENVIRONMENT}
    assert job.pool["numThreadsPerWorker"] == 1
    assert job.options["sdk_location"] == "container"


def test_ctrl_c_cancels_the_job_and_says_so(played: Played) -> None:
    page = page_of(played.jobs[0])
    error = played.errors["ingest"]
    assert isinstance(error, InterruptedRunError)
    assert error.what == f"interrupted in ingest: its job is cancelled, see {page}"
    assert played.jobs[0].state == "JOB_STATE_CANCELLED"


def test_what_google_refuses_is_said_with_the_grant(played: Played) -> None:
    error = played.errors["statistics"]
    assert isinstance(error, EngineError)
    assert error.what == (
        "statistics failed on the engine: who starts the job may not use the workers' service"
        f" account ({NOT_ALLOWED})"
    )
    assert "roles/iam.serviceAccountUser" in str(error.remedy)


def test_a_job_without_room_for_its_workers_is_said_with_its_page(played: Played) -> None:
    error = played.errors["transform"]
    assert isinstance(error, EngineError)
    assert error.what.startswith(
        "transform failed on the engine: Google Cloud has no room for the workers (ZONE_RESOURCE"
    )
    assert error.where in [page_of(job) for job in played.jobs]


def test_each_run_goes_on_from_the_last_good_stage(played: Played) -> None:
    ran = [job.stage for job in played.jobs]
    assert ran == ["ingest", "ingest", "statistics", "transform", "transform", "evaluate"]
    told = {stage.name: stage for stage in played.summary.stages}
    assert told["ingest"].state == told["statistics"].state == "cached"
    assert told["transform"].rows == 15_002
    assert told["evaluate"].notes["job"] == page_of(played.jobs[-1])


def test_a_run_in_a_bucket_is_the_run_on_a_disk_and_is_pushed(
    direct: Made, in_bucket: Dataset, played: Played, tmp_path: Path
) -> None:
    assert (played.summary.status, played.summary.model) == ("pushed", f"{RUNS}/taxi/serving/1")
    assert (played.summary.parity or {})["proven"]
    files.copy_tree(Folders.of(RUNS, "taxi").artifacts, str(tmp_path / "there"))
    there, here = Made.among(tmp_path / "there"), Made.below(tmp_path / "here")
    require_same(direct, there)

    stages.ingest(in_bucket, here)
    kept, its = (pq.read_table(made.examples / rejects.FOLDER) for made in (here, there))
    assert kept.num_rows == len(BAD)
    assert kept.equals(its)


@pytest.mark.usefixtures("played")
@pytest.mark.parametrize("settings", [(f"image={IMAGE}",), ()], ids=["image", "package"])
def test_predict_scores_as_in_this_process(
    in_bucket: Dataset, cloud: Cloud, settings: tuple[str, ...], tmp_path: Path
) -> None:
    rows = f"gs://{BUCKET}/data/some.csv"
    some = files.read_bytes(in_bucket.source_path).splitlines(keepends=True)[:501]
    files.write_whole(rows, b"".join([*some, *BAD]))
    scores = f"gs://{BUCKET}/scores/{len(settings)}.parquet"
    there = ["--runner=dataflow", *(f"--set={each}" for each in (*OURS, *settings))]
    asked = ["predict", f"{RUNS}/taxi", rows, "-o"]
    assert main([*asked, scores, *there, "--", f"--dataflow_endpoint={cloud.endpoint}"]) == 0
    assert cloud.jobs[-1].stage == "predict"
    assert main([*asked, str(tmp_path / "scores.parquet")]) == 0
    for ending, count in (("", 500), (".rejects.parquet", len(BAD))):
        files.copy_file(f"{scores}{ending}", str(tmp_path / "there.parquet"))
        its = pq.read_table(tmp_path / "there.parquet")
        assert its.num_rows == count
        assert its.equals(pq.read_table(tmp_path / f"scores.parquet{ending}"))


def test_a_job_that_is_cancelled_in_the_console_is_no_success(
    cloud: Cloud, on_dataflow: Callable[..., Choice]
) -> None:
    cloud.ends = {"counting": ("JOB_STATE_CANCELLED", ())}
    with (
        pytest.raises(
            EngineError, match=r"^counting came to no end: its job was cancelled"
        ) as caught,
        engines.running(on_dataflow(f"image={IMAGE}"), "taxi"),
        runner.opened("counting") as pipeline,
    ):
        _ = pipeline | beam.Create([1])
    assert caught.value.where == page_of(cloud.jobs[-1])


def test_a_bucket_that_is_gone_when_a_job_is_to_be_sent_is_said_at_once(
    cloud: Cloud, on_dataflow: Callable[..., Choice]
) -> None:
    before = len(cloud.jobs)
    with (
        pytest.raises(StoreError, match=r"^there is no bucket 'gone'"),
        engines.running(on_dataflow(f"image={IMAGE}", "temp_location=gs://gone/temp"), "taxi"),
        runner.opened("counting") as pipeline,
    ):
        _ = pipeline | beam.Create([1])
    assert len(cloud.jobs) == before
