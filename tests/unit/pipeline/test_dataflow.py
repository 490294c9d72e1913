"""Dataflow's requirements are checked before a job; Google's refusals have a remedy."""

import contextlib
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pipeline import dataflow, engines, packages, runners
from schemas.errors import ConfigError
from schemas.runners import Dataflow, Runner
from tests import google_keys

KEYS = ["project=ours", "region=europe-west1", "temp_location=gs://bucket/temp"]
BUCKET = "/storage/v1/b/bucket"
JOBS = "/v1b3/projects/ours/locations/europe-west1/jobs"
ROOT = Path(__file__).resolve().parents[3]


@contextlib.contextmanager
def google(answers):
    """Answer like Google: a status and a message by path; other paths succeed."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, message = answers.get(self.path.partition("?")[0], (200, ""))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps({"error": {"message": message}}).encode())

        def do_POST(self):  # requests a token for expired credentials
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(400)
            self.end_headers()
            self.wfile.write(b'{"error": "invalid_grant", "error_description": "Bad Request"}')

        def log_message(self, *_):
            pass

    with HTTPServer(("localhost", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def refused(monkeypatch, answers=None, settings=(), beam=("--no_auth",)):
    """Return the error for a choice with these answers; None does not reach Google."""
    with contextlib.ExitStack() as stack:
        host = "http://localhost:1" if answers is None else stack.enter_context(google(answers))
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        words = [f"--dataflow_endpoint={host}", *beam]
        chosen = runners.choose(Runner(), "dataflow", [*KEYS, *settings], words)
        with pytest.raises(ConfigError) as caught:
            engines.check(chosen)
    return str(caught.value)


def test_all_is_well(monkeypatch):
    with google({}) as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        words = ["--no_auth", f"--dataflow_endpoint={host}/"]
        engines.check(runners.choose(Runner(), "dataflow", KEYS, words))


def test_a_missing_bucket_is_reported_with_the_command_that_creates_it(monkeypatch):
    said = refused(monkeypatch, {BUCKET: (404, "The specified bucket does not exist.")})
    assert said.startswith("there is no bucket 'bucket'\n")
    assert "gcloud storage buckets create gs://bucket --project=ours --location=europe-w" in said


def test_a_bucket_without_access_is_reported_in_googles_words(monkeypatch):
    message = "ann@ours.test does not have storage.buckets.get access"
    said = refused(monkeypatch, {BUCKET: (403, message)})
    assert said.startswith(f"the bucket 'bucket' is refused: {message}\n")
    assert "roles/storage.objectUser" in said


@pytest.mark.parametrize("status", [403, 404])
def test_a_service_that_refuses_is_reported_in_its_words(monkeypatch, status):
    message = "Dataflow API has not been used in project ours before or it is disabled."
    said = refused(monkeypatch, {JOBS: (status, message)})
    assert said.startswith(f"Dataflow refuses 'ours' in 'europe-west1': {message}\n")
    assert "gcloud services enable dataflow.googleapis.com --project=ours" in said


def test_a_network_without_google_is_reported(monkeypatch):
    said = refused(monkeypatch)
    assert said.startswith("Cloud Storage cannot be reached: [Errno 111] Connection refused\n")
    assert "runner.dataflow.temp_location" in said


def test_paths_that_workers_cannot_reach_are_reported():
    chosen = runners.choose(Runner(), "dataflow", KEYS)
    with pytest.raises(ConfigError, match=r"workers cannot see 'runs', which is on this machine"):
        engines.check(chosen, ["gs://bucket/trips.csv", "runs"])


def test_missing_credentials_are_reported(monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "no.json"))
    said = refused(monkeypatch, {}, beam=())
    assert said.startswith("there are no credentials for Google Cloud: File ")
    assert "gcloud auth application-default login" in said


def test_expired_credentials_are_reported(monkeypatch, tmp_path):
    with google({}) as host:
        key = google_keys.write(tmp_path, f"{host}/token")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
        said = refused(monkeypatch, {}, beam=())
    assert said.startswith("Google Cloud does not accept the credentials: invalid_grant: Bad Req")
    assert "gcloud auth application-default login" in said


def test_workers_get_this_project_once(monkeypatch, tmp_path):
    assert "by image and by setup_file" in refused(monkeypatch, {}, ["image=i", "setup_file=s"])
    assert "there is no '/no/setup.py'" in refused(monkeypatch, {}, ["setup_file=/no/setup.py"])
    monkeypatch.setattr(packages, "own_setup_file", lambda: tmp_path / "setup.py")
    assert "not started from its checkout" in refused(monkeypatch, {})


def test_a_package_that_cannot_be_built_is_reported(tmp_path):
    (tmp_path / "setup.py").write_text("raise SystemExit('no compiler')")
    with pytest.raises(ConfigError, match="no package can be built for the workers: no compiler"):
        packages.build(tmp_path / "setup.py", tmp_path)


def test_the_package_holds_all_that_the_checkout_has(tmp_path):
    with zipfile.ZipFile(packages.build(ROOT / "setup.py", tmp_path)) as wheel:
        held = set(wheel.namelist())
    kinds = {".py", ".pbtxt", ".yaml", ".html", ".j2", ".js", ".css"}
    here = {
        str(path.relative_to(ROOT))
        for name in ("schemas", "components", "pipeline", "skewless")
        for path in (ROOT / name).rglob("*")
        if path.suffix in kinds
    }
    assert here
    assert here <= held


def test_pins_are_of_all_that_is_needed_and_installed():
    pins = dict(pin.split("==") for pin in packages.pins("skewless"))
    assert {"apache-beam", "tensorflow", "tfx", "google-cloud-storage", "numpy"} <= set(pins)
    assert not {"skewless", "pytest"} & set(pins)


def test_an_image_needs_no_package():
    section = Dataflow(project="ours", region="europe-west1", temp_location="gs://b/t", image="i")
    with dataflow.staged(section) as arguments:
        assert "--sdk_container_image=i" in arguments
        assert "--sdk_location=container" in arguments
        assert not [a for a in arguments if "package" in a or "requirements" in a]


def test_jobs_are_called_as_dataflow_takes_it():
    assert dataflow.job_name("Chicago_Taxi-20260101-000000-1") == "chicago-taxi-20260101-000000-1"
