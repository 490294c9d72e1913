"""A replacement for Dataflow: its jobs API, a bucket, credentials, and machines.

A job is kept as it was sent. Then what it staged in the bucket is put on a machine that has nothing
else of this project, and the staged graph runs there. Both of Beam's clients work: they send the
same JSON, except for enums, which the newer one sends as numbers.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from apache_beam.portability.api import beam_runner_api_pb2
from gcp_storage_emulator.server import create_server

from tests import google_keys
from tests.engines.dataflow.machine import JobFailedError, Machine
from tests.engines.processes import free_ports

BUCKET = "skewless-staging"
_JOB = re.compile(r"/v1b3/projects/[^/]+/locations/[^/]+/jobs(?:/(?P<id>[^/]+))?(?P<rest>/\w+)?")
_CANCELLED = ("JOB_STATE_CANCELLED", 5)  # the values of the two clients
_NOW = "2026-01-01T00:00:00Z"
_KEPT = ("id", "name", "type", "projectId", "location", "clientRequestId", "currentState")


@dataclass
class Job:
    """A job as it was sent, and its results.

    Attributes:
      request: the JSON that was sent.
      state: the state in the API.
      errors: its error messages.
      counters: namespace, name and value.
      graph: the staged graph.
      staged: what else is staged for its workers: contents by the names on a worker.
    """

    request: dict[str, Any]
    state: str = "JOB_STATE_RUNNING"
    errors: tuple[str, ...] = ()
    counters: list[tuple[str, str, int]] = field(default_factory=list)
    graph: beam_runner_api_pb2.Pipeline = field(default_factory=beam_runner_api_pb2.Pipeline)
    staged: dict[str, bytes] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """The stage, with which its name ends."""
        return self.request["name"].rpartition("-")[2]

    @property
    def options(self) -> dict[str, Any]:
        """The pipeline options for its workers."""
        return self.request["environment"]["sdkPipelineOptions"]["options"]

    @property
    def pool(self) -> dict[str, Any]:
        """The settings of its machines."""
        (pool,) = self.request["environment"]["workerPools"]
        return pool

    @property
    def image(self) -> str:
        """The container of its workers."""
        (image,) = self.pool["sdkHarnessContainerImages"]
        return image["containerImage"]


class Cloud:
    """The jobs API and the bucket, on this machine, until the block ends.

    Args:
      folder: the folder of the machines.

    Attributes:
      jobs: the jobs in the order of sending.
      images: containers of ours, by name: their packages.
      refused: status and message by the stage whose jobs are refused.
      ends: a state, and errors, by the stage whose jobs do not run but end with these.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.jobs: list[Job] = []
        self.images: dict[str, list[Path]] = {}
        self._machines: dict[str, Machine] = {}
        self.refused: dict[str, tuple[int, str]] = {}
        self.ends: dict[str, tuple[str, tuple[str, ...]]] = {}
        storage_port, port = free_ports(2)
        self.storage = f"http://localhost:{storage_port}"
        self.endpoint = f"http://localhost:{port}"
        self._store = create_server("localhost", storage_port, True, default_bucket=BUCKET)
        handler = type("Handler", (_Handler,), {"cloud": self})
        self._api = ThreadingHTTPServer(("localhost", port), handler)
        self._numbers = itertools.count(1)

    def __enter__(self) -> Cloud:
        self._store.start()
        threading.Thread(target=self._api.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._api.shutdown()
        self._api.server_close()
        self._store.stop()

    def read(self, url: str) -> bytes:
        """Return an object of the bucket."""
        bucket, _, name = url.removeprefix("gs://").partition("/")
        where = f"{self.storage}/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media"
        with urlopen(where, timeout=30) as answer:
            return answer.read()

    def names(self) -> list[str]:
        """Return the names of the bucket's objects."""
        with urlopen(f"{self.storage}/storage/v1/b/{BUCKET}/o", timeout=30) as answer:
            return [item["name"] for item in json.load(answer).get("items", [])]

    def credentials(self) -> Path:
        """Return a service account's key file, which requests tokens here."""
        return google_keys.write(self._folder, f"{self.endpoint}/token")

    def send(self, request: dict[str, Any]) -> dict[str, Any]:
        """Accept a job, and start it."""
        job = Job({**request, "id": f"job-{next(self._numbers)}"})
        self.jobs.append(job)
        if job.stage in self.ends:
            job.state, job.errors = self.ends[job.stage]
        else:
            threading.Thread(target=self._run, args=(job,), daemon=True).start()
        return as_json(job)

    def job(self, name: str) -> Job:
        """Return a job by its id."""
        (found,) = (job for job in self.jobs if job.request["id"] == name)
        return found

    def _run(self, job: Job) -> None:
        try:
            self._fetch(job)
            machine = self._machine(job)
            machine.start(job.staged)
            job.counters = machine.run(job.graph.SerializeToString())
            job.state = "JOB_STATE_DONE"
        except Exception as error:  # noqa: BLE001 - any error fails the job
            job.errors, job.state = (str(error),), "JOB_STATE_FAILED"

    def _machine(self, job: Job) -> Machine:
        """Return a machine with a job's image: a new one, except for our own images."""
        if job.image in self._machines:
            return self._machines[job.image]
        folder = self._folder / job.request["id"]
        if job.image in self.images:
            self._machines[job.image] = Machine(folder, self.images[job.image])
            return self._machines[job.image]
        if "/beam_python" not in job.image:
            raise JobFailedError(f"Error: there is no image {job.image}")
        return Machine(folder)

    def _fetch(self, job: Job) -> None:
        """Fetch from the bucket what a machine would fetch: the graph lists it."""
        content = self.read(job.options["pipelineUrl"])
        if hashlib.sha256(content).hexdigest() != job.options["pipelineProtoHash"]:
            raise JobFailedError("Error: the graph is not the one that was sent")
        job.graph.ParseFromString(content)
        for environment in job.graph.components.environments.values():
            for artifact in environment.dependencies:
                where = beam_runner_api_pb2.ArtifactUrlPayload.FromString(artifact.type_payload)
                role = beam_runner_api_pb2.ArtifactStagingToRolePayload.FromString(
                    artifact.role_payload
                )
                content = self.read(where.url)
                if hashlib.sha256(content).hexdigest() != where.sha256:
                    raise JobFailedError(f"Error: {role.staged_name} is not what was sent")
                job.staged[role.staged_name] = content


def as_json(job: Job) -> dict[str, Any]:
    """Return a job in the API's format."""
    known = {**job.request, "currentState": job.state}
    return {key: known[key] for key in _KEPT if key in known}


def messages(job: Job) -> dict[str, Any]:
    """Return a job's messages in the API's format: here only its errors."""
    kind = {"time": _NOW, "messageImportance": "JOB_MESSAGE_ERROR"}
    texts = [{**kind, "id": str(n), "messageText": text} for n, text in enumerate(job.errors)]
    return {"jobMessages": texts}


def metrics(job: Job) -> dict[str, Any]:
    """Return a job's counters in the API's format: each during the job, and at its end."""
    return {
        "metrics": [
            {
                "name": {
                    "origin": "user",
                    "name": name,
                    "context": {"namespace": namespace, **kind},
                },
                "scalar": value,
            }
            for namespace, name, value in job.counters
            for kind in ({}, {"tentative": "true"})
        ]
    }


class _Handler(BaseHTTPRequestHandler):
    cloud: Cloud

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/token":
            self._answer({"access_token": "ours", "expires_in": 3600, "token_type": "Bearer"})
            return
        request = json.loads(content)
        stage = Job(request).stage
        if stage in self.cloud.refused:
            status, message = self.cloud.refused[stage]
            error = {"code": status, "message": message, "status": "PERMISSION_DENIED"}
            self._answer({"error": error}, status)
        else:
            self._answer(self.cloud.send(request))

    def do_GET(self) -> None:
        found = _JOB.fullmatch(self.path.partition("?")[0])
        if found is None:
            self._answer({"error": {"code": 404, "message": f"no {self.path}"}}, 404)
        elif found["id"] is None:
            self._answer({"jobs": [as_json(job) for job in self.cloud.jobs]})
        else:
            job = self.cloud.job(found["id"])
            answer = {None: as_json, "/messages": messages, "/metrics": metrics}[found["rest"]]
            self._answer(answer(job))

    def do_PUT(self) -> None:
        found = _JOB.fullmatch(self.path.partition("?")[0])
        assert found is not None
        job = self.cloud.job(found["id"])
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert asked["requestedState"] in _CANCELLED
        job.state = "JOB_STATE_CANCELLED"
        self._answer(as_json(job))

    def _answer(self, value: Mapping[str, Any], status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""
