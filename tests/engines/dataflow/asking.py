"""Options of commands for the Dataflow replacement on this machine, and a job's page."""

from __future__ import annotations

from pipeline import runners
from pipeline.runners import Choice
from schemas.runners import Runner
from tests.engines.dataflow.service import BUCKET, Cloud, Job

IMAGE = "europe-docker.pkg.dev/project-of-ours/images/skewless-worker:1"
# Internal files of Beam for the service among those that are staged.
ENVIRONMENT = "submission_environment_dependencies.txt"
SETTINGS = ["project=project-of-ours", "region=europe-west1", f"temp_location=gs://{BUCKET}/temp"]


def beam(cloud: Cloud) -> list[str]:
    """Return Beam's options for it."""
    return [f"--dataflow_endpoint={cloud.endpoint}"]


def choose(cloud: Cloud, *settings: str) -> Choice:
    """Choose it, with further settings KEY=VALUE."""
    return runners.choose(Runner(), "dataflow", [*SETTINGS, *settings], beam(cloud))


def page_of(job: Job) -> str:
    """Return a job's page in the console."""
    place = f"europe-west1/{job.request['id']}"
    return f"https://console.cloud.google.com/dataflow/jobs/{place}?project=project-of-ours"
