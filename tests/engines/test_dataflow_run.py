"""A run on Dataflow with all data and results in a bucket: through its faults, to the end.

It runs once, from what each job staged, and is then examined; its model scores there, too.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components import files, progress
from components.engine_errors import EngineError
from components.ingest import rejects
from pipeline.cli import main
from pipeline.endings import InterruptedRunError
from pipeline.folders import Folders
from pipeline.run import run
from pipeline.summary import Summary
from schemas.catalog import Dataset
from schemas.errors import SkewlessError
from tests.at_start import at
from tests.engines import stages
from tests.engines.dataflow import asking
from tests.engines.dataflow.service import BUCKET, Cloud, Job
from tests.engines.same import require_same
from tests.engines.stages import Made

pytestmark = [pytest.mark.engine]

RUNS = f"gs://{BUCKET}/runs"
BAD = [b"one,two\n", b'"three\n']
NOT_ALLOWED = "Current user cannot act as service account workers@project-of-ours"
NO_ROOM = (
    "Startup of the worker pool in zone europe-west1-c failed to bring up any of the desired 1"
    " workers. ZONE_RESOURCE_POOL_EXHAUSTED: Instance creation failed: The zone"
    " 'projects/project-of-ours/zones/europe-west1-c' does not have enough resources available"
)


@pytest.fixture(scope="module")
def in_bucket(
    dataset: Dataset, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dataset]:
    """The taxi dataset with its rows in the bucket, and two records that are not rows."""
    local = tmp_path_factory.mktemp("source") / "trips.csv"
    local.write_bytes(Path(dataset.source_patterns[0]).read_bytes() + b"".join(BAD))
    source = dataset.spec.source.model_copy(update={"path": f"gs://{BUCKET}/data/trips.csv"})
    files.copy_file(str(local), source.paths[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(local.parent))
        yield replace(dataset, spec=dataset.spec.model_copy(update={"source": source}))


@dataclass(frozen=True)
class Played:
    """The results of a run in the bucket, which was restarted after each failure.

    Attributes:
      errors: by the stage that failed.
      summary: of the last run, which succeeded.
      jobs: all jobs that were sent.
    """

    errors: dict[str, SkewlessError]
    summary: Summary
    jobs: list[Job]


@pytest.fixture(scope="module")
def played(in_bucket: Dataset, cloud: Cloud, wheel: Path) -> Played:
    """A run in the bucket that is interrupted, refused, lacks room for workers, then succeeds."""
    cloud.images[asking.IMAGE] = [wheel]
    on = asking.choose(cloud, f"image={asking.IMAGE}", "threads=1")
    before, errors = len(cloud.jobs), {}

    def fail(stage: str) -> None:
        with pytest.raises(SkewlessError) as caught:
            run(in_bucket, output=RUNS, on=on)
        errors[stage] = caught.value
        cloud.refused, cloud.ends = {}, {}

    cloud.ends = {"ingest": ("JOB_STATE_RUNNING", ())}
    with at(is_running, interrupt):
        fail("ingest")
    cloud.refused = {"statistics": (403, f"(b6e1): {NOT_ALLOWED}")}
    fail("statistics")
    cloud.ends = {"transform": ("JOB_STATE_FAILED", (NO_ROOM, "Workflow failed."))}
    fail("transform")
    return Played(errors, run(in_bucket, output=RUNS, on=on), cloud.jobs[before:])


def is_running(event: progress.Event) -> bool:
    """Return whether a job is reported to be running."""
    return event.kind == "job" and event.values.get("state") == "running"


def interrupt() -> None:
    """Press Ctrl-C."""
    signal.raise_signal(signal.SIGINT)


def test_a_job_brings_nothing_where_an_image_has_it(played: Played) -> None:
    job = played.jobs[-1]
    assert job.image == job.pool["workerHarnessContainerImage"] == asking.IMAGE
    assert set(job.staged) == {asking.ENVIRONMENT}
    assert job.pool["numThreadsPerWorker"] == 1
    assert job.options["sdk_location"] == "container"


def test_ctrl_c_cancels_the_job_and_says_so(played: Played) -> None:
    page = asking.page_of(played.jobs[0])
    error = played.errors["ingest"]
    assert isinstance(error, InterruptedRunError)
    assert error.what == f"interrupted in ingest: its job is cancelled, see {page}"
    assert played.jobs[0].state == "JOB_STATE_CANCELLED"


def test_googles_refusal_is_reported_with_the_missing_role(played: Played) -> None:
    error = played.errors["statistics"]
    assert isinstance(error, EngineError)
    assert error.what == (
        "statistics failed on the engine: the account that starts the job may not use the workers'"
        f" service account ({NOT_ALLOWED})"
    )
    assert "roles/iam.serviceAccountUser" in str(error.remedy)


def test_a_job_without_room_for_its_workers_is_reported_with_its_page(played: Played) -> None:
    error = played.errors["transform"]
    assert isinstance(error, EngineError)
    assert error.what.startswith(
        "transform failed on the engine: Google Cloud has no room for the workers (ZONE_RESOURCE"
    )
    assert error.where in [asking.page_of(job) for job in played.jobs]


def test_each_run_goes_on_from_the_last_good_stage(played: Played) -> None:
    ran = [job.stage for job in played.jobs]
    assert ran == ["ingest", "ingest", "statistics", "transform", "transform", "evaluate"]
    told = {stage.name: stage for stage in played.summary.stages}
    assert told["ingest"].state == told["statistics"].state == "cached"
    assert told["transform"].rows == 15_002
    assert told["evaluate"].notes["job"] == asking.page_of(played.jobs[-1])


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


@dataclass(frozen=True)
class Scored:
    """Rows in the bucket, with the scores and rejected rows of this process."""

    rows: str
    scores: pa.Table
    rejects: pa.Table

    @classmethod
    def read(cls, rows: str, folder: Path) -> Scored:
        scores, rejected = (folder / f"scores.parquet{end}" for end in ("", ".rejects.parquet"))
        return cls(rows, pq.read_table(scores), pq.read_table(rejected))


@pytest.fixture(scope="module")
def here(in_bucket: Dataset, played: Played, tmp_path_factory: pytest.TempPathFactory) -> Scored:
    """The scores of this process with the pushed model."""
    assert played.summary.model
    rows, folder = f"gs://{BUCKET}/data/some.csv", tmp_path_factory.mktemp("scores")
    some = files.read_bytes(in_bucket.source_patterns[0]).splitlines(keepends=True)[:501]
    files.write_whole(rows, b"".join([*some, *BAD]))
    assert main(["predict", f"{RUNS}/taxi", rows, "-o", str(folder / "scores.parquet")]) == 0
    return Scored.read(rows, folder)


@pytest.mark.parametrize("settings", [(f"image={asking.IMAGE}",), ()], ids=["image", "package"])
def test_predict_scores_as_in_this_process(
    here: Scored, cloud: Cloud, settings: tuple[str, ...], tmp_path: Path
) -> None:
    scores = f"gs://{BUCKET}/scores-{len(settings)}"
    asked = ["predict", f"{RUNS}/taxi", here.rows, "-o", f"{scores}/scores.parquet"]
    asked += ["--runner=dataflow", *(f"--set={each}" for each in (*asking.SETTINGS, *settings))]
    assert main([*asked, "--", *asking.beam(cloud)]) == 0
    assert cloud.jobs[-1].stage == "predict"
    files.copy_tree(scores, str(tmp_path))
    there = Scored.read(here.rows, tmp_path)
    assert (there.scores.num_rows, there.rejects.num_rows) == (500, len(BAD))
    assert there == here
