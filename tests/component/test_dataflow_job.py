"""A Dataflow job is reported while it runs, and its end with a remedy."""

import logging
from types import SimpleNamespace

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from google.auth.exceptions import RefreshError

from components import dataflow_job, progress
from components.engine_errors import EngineError

pytestmark = pytest.mark.component

OPTIONS = ["--project=ours", "--region=europe-west1"]
PAGE = "https://console.cloud.google.com/dataflow/jobs/europe-west1/job-1?project=ours"
STOP = "gcloud dataflow jobs cancel job-1 --region=europe-west1 --project=ours"


class Result:
    """Beam's result for a job: a state for each request, and messages with the last.

    Args:
      states: the last one stays; an exception is raised instead.
      messages: texts, which are errors unless they say otherwise.
      cancels: raised when the job should be cancelled.
    """

    def __init__(self, *states, messages=(), cancels=None):
        self._states = list(states)
        self._messages = messages
        self._cancels = cancels
        self._runner = SimpleNamespace(dataflow_client=self)
        self.cancelled = False

    def job_id(self):
        return "job-1"

    @property
    def state(self):
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        if isinstance(state, BaseException):
            raise state
        return state

    def list_messages(self, job_id, *, start_time, page_token):
        assert job_id == "job-1"
        if len(self._states) > 1:
            return [], None
        texts = [m if isinstance(m, tuple) else ("ERROR", m) for m in self._messages]
        answer = [
            SimpleNamespace(
                id=str(n), time=str(n), messageImportance=f"JOB_MESSAGE_{kind}", messageText=text
            )
            for n, (kind, text) in enumerate(texts)
        ]
        return (answer[:1], "more") if page_token is None and answer[1:] else (answer, None)

    def cancel(self):
        self.cancelled = True
        if self._cancels:
            raise self._cancels


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(dataflow_job, "LOOK_EVERY", 0)
    monkeypatch.setattr(dataflow_job, "REASON_WITHIN", 0)


def wait(result):
    dataflow_job.wait("ingest", result, PipelineOptions(OPTIONS))


def failure(result):
    with pytest.raises(EngineError) as caught:
        wait(result)
    return caught.value


def test_a_job_is_reported_with_its_page_and_each_state(caplog):
    with caplog.at_level(logging.INFO, progress.LOGGER.name):
        wait(Result("PENDING", "UNRECOGNIZED", "RUNNING", "RESOURCE_CLEANING_UP", "DONE"))
    ours = [r for r in caplog.records if r.name == progress.LOGGER.name]
    events = [(r.event.kind, dict(r.event.values)) for r in ours]
    assert events == [
        ("note", {"job": PAGE}),
        ("job", {"page": PAGE}),
        ("job", {"state": "pending"}),
        ("job", {"state": "queued"}),
        ("job", {"state": "running"}),
        ("job", {"state": "resource cleaning up"}),
    ]


@pytest.mark.parametrize(
    ("state", "said"), [("CANCELLED", "cancelled"), ("DRAINED", "drained"), ("UPDATED", "replaced")]
)
def test_a_job_that_was_cancelled_is_not_a_success(state, said):
    error = failure(Result("RUNNING", state))
    assert error.what.startswith(f"ingest did not finish: its job was {said}")
    assert (error.where, error.remedy) == (PAGE, "run again to go on from there")


ROOM = (
    "Startup of the worker pool in zone europe-west1-c failed to bring up any of the desired 1"
    " workers. Please refer to https://cloud.google.com/dataflow/docs/guides/common-errors"
    " for help troubleshooting. "
)
WORKER = """Error message from worker: generic::unknown: Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1498, in apache_beam.runners.common.DoFnRunner.process
  File "components/ingest/ingest.py", line 1, in process
KeyError: 'fare'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "apache_beam/runners/worker/sdk_worker.py", line 311, in _execute
KeyError: "'fare' [while running 'Read-ptransform-26']"

passed through:
==>
    dist_proc/dax/workflow/worker/fnapi_service_impl.cc:1339"""


@pytest.mark.parametrize(
    ("messages", "what", "remedy"),
    [
        (
            [
                ROOM + "ZONE_RESOURCE_POOL_EXHAUSTED: Instance creation failed: The zone"
                " 'projects/ours/zones/europe-west1-c' does not have enough resources available",
                "Workflow failed.",
            ],
            "Google Cloud has no room for the workers (ZONE_RESOURCE_POOL_EXHAUSTED: Instance",
            "max_workers",
        ),
        (
            [ROOM + "QUOTA_EXCEEDED: Instance creation failed: Quota 'CPUS' exceeded. Limit: 8.0"],
            "Google Cloud has no room for the workers (QUOTA_EXCEEDED: ",
            "ask for quota",
        ),
        (
            [
                (
                    "Workflow failed. Causes: Project ours has insufficient quota(s) to execute"
                    " this workflow with 1 instances in region europe-west1."
                )
            ],
            "Google Cloud has no room for the workers (Workflow failed. Causes: Project ours",
            "ask for quota",
        ),
        ([ROOM], "Dataflow's workers do not start", "worker-startup"),
        (
            [
                (
                    "Workflow failed. Causes: Some Cloud APIs need to be enabled for your project"
                    " in order for Cloud Dataflow to run this job. Please enable: compute"
                )
            ],
            "an API is not enabled in the project (Some Cloud APIs",
            "gcloud services enable dataflow.googleapis.com compute.googleapis.com",
        ),
        (
            [
                (
                    "A worker was unable to start up.  Error: Unable to pull container image due"
                    " to error: image pull request failed with error: denied"
                )
            ],
            "Dataflow's workers do not get their image",
            "roles/artifactregistry.reader",
        ),
        (
            [WORKER, "Workflow failed. Causes: S01:Read+Write failed., The job failed because a"],
            "KeyError: \"'fare'\"",
            "None",
        ),
        (["The bundle is too large.", "Workflow failed."], "The bundle is too large.", "None"),
        ([("WARNING", "Slow."), ("BASIC", "Worker ready.")], "it gave no reason", "None"),
    ],
)
def test_a_job_that_failed_says_why_and_what_helps(messages, what, remedy):
    error = failure(Result("RUNNING", "FAILED", messages=messages))
    assert error.what.startswith(f"ingest failed on the engine: {what}")
    assert remedy in str(error.remedy)
    assert error.where == PAGE


def test_a_job_with_unreadable_messages_succeeds(monkeypatch):
    result = Result("RUNNING", "DONE")
    monkeypatch.setattr(result, "list_messages", None)  # calling it raises
    wait(result)


def test_what_a_job_says_is_in_the_log_once(caplog):
    messages = [("BASIC", "Worker ready."), ("WARNING", "Slow."), ("DEBUG", "x"), "Broken."]
    with caplog.at_level(logging.INFO, dataflow_job.LOGGER.name):
        failure(Result("RUNNING", "FAILED", messages=messages))
    records = [(r.levelname, r.getMessage()) for r in caplog.records if not hasattr(r, "event")]
    assert records == [
        ("INFO", "job-1: Worker ready."),
        ("WARNING", "job-1: Slow."),
        ("ERROR", "job-1: Broken."),
    ]


@pytest.mark.parametrize(
    ("error", "what", "remedy"),
    [
        (
            RefreshError("('invalid_grant: Bad Request', {'error': 'invalid_grant'})"),
            "Google Cloud does not accept the credentials",
            "gcloud auth application-default login",
        ),
        (ConnectionError("no route to host"), "no route to host", "reaches Google Cloud"),
    ],
)
def test_a_job_whose_state_is_unknown_may_still_be_running(error, what, remedy):
    error = failure(Result("RUNNING", error))
    problem = "ingest cannot be followed, and its job may still be running"
    assert error.what.startswith(f"{problem}: {what}")
    assert error.where == PAGE
    assert f"stop the job ({STOP})" in str(error.remedy)
    assert remedy in str(error.remedy)


def test_ctrl_c_cancels_the_job():
    result = Result("RUNNING", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt, match=r"^its job is cancelled, see https://console"):
        wait(result)
    assert result.cancelled


@pytest.mark.parametrize("error", [ConnectionError("no route"), KeyboardInterrupt()])
def test_a_job_that_cannot_be_cancelled_is_reported_to_continue(error):
    with pytest.raises(KeyboardInterrupt) as caught:
        wait(Result("RUNNING", KeyboardInterrupt(), cancels=error))
    assert str(caught.value) == (
        f"its job could not be cancelled and continues, see {PAGE}; to stop it: {STOP}"
    )
