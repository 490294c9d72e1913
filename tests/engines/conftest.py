"""Real engines on this machine, and a run of the taxi data in this process to hold theirs against.

Nothing here is part of `make test`: `make engines` runs it. What is missing skips, with what to
install; with SKEWLESS_REQUIRE_ENGINES=1, as CI sets it, it fails.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis  # noqa: F401  # pytest's last words import it: too late after a run's gc.freeze()
import pytest
import yaml

from components.compat import quiet_environment
from pipeline import runners
from pipeline.folders import Folders
from pipeline.run import run
from pipeline.runners import Choice
from schemas import catalog
from schemas.runners import Runner
from tests.engines import artifacts
from tests.engines.flink.cluster import FlinkCluster
from tests.engines.processes import Server, free_ports, listens, wait_for

quiet_environment()

ROOT = Path(__file__).resolve().parents[2]
# So small that every split has several batches, and each engine something to share out.
BATCH_ROWS = 2_048


def require(*commands: str) -> None:
    """Skip where commands are missing, or fail where all engines are asked for."""
    if lacking := artifacts.missing(*commands):
        if os.environ.get("SKEWLESS_REQUIRE_ENGINES"):
            pytest.fail(lacking)
        pytest.skip(lacking)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The taxi dataset, in batches of a few rows."""
    folder, taxi = tmp_path_factory.mktemp("dataset"), catalog.find_folder("taxi")
    values = yaml.safe_load((taxi / "pipeline.yaml").read_text(encoding="utf-8"))
    values["examples"] = {"batch_rows": BATCH_ROWS}
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    text = (taxi / "schema.pbtxt").read_text(encoding="utf-8")
    (folder / "schema.pbtxt").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def run_on(
    dataset: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Choice | None], Folders]:
    """Run the dataset in a folder of its own, and return where everything is."""

    def run_it(on: Choice | None) -> Folders:
        read = catalog.load(str(dataset))
        output = tmp_path_factory.mktemp(on.name if on else "direct")
        run(read, output=str(output), on=on)
        return Folders.of(output, read.spec.name)

    return run_it


@pytest.fixture(scope="session")
def direct(run_on: Callable[[Choice | None], Folders]) -> Folders:
    """What a run in this process gives."""
    return run_on(None)


@pytest.fixture(scope="session")
def flink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    """A cluster of one task manager with two slots."""
    require("java", "mvn")
    with FlinkCluster(tmp_path_factory.mktemp("engine") / "flink") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def on_flink(flink: FlinkCluster) -> Callable[..., Choice]:
    """Choose the cluster, with further settings KEY=VALUE."""

    def choose(*settings: str) -> Choice:
        jar = artifacts.flink_job_server()
        own = [f"master={flink.master}", "version=1.19", f"job_server_jar={jar}"]
        return runners.choose(Runner(), "flink", [*own, *settings])

    return choose


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a pool of workers, in a process of its own."""
    (port,) = free_ports(1)
    log = tmp_path_factory.mktemp("pool") / "workers.log"
    server = Server([str(ROOT / ".venv/bin/skewless"), "workers", "--port", str(port)], log)
    try:
        wait_for("starting workers", lambda: listens(port), [server], seconds=120)
        yield f"localhost:{port}"
    finally:
        server.stop()
