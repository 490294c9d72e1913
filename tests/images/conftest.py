"""The images, built once from the Dockerfile, and a container of each."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import artifacts
from tests.images import builder as builders
from tests.images.builder import Builder, Container

REVISION = "0123456789abcdef"
LOCK = builders.ROOT / "requirements/image-py3.13.txt"
# A folder that keeps the images and their layers, for work on the Dockerfile. Each version of the
# libraries' layer takes 6 GB there; without the folder, everything is removed at the end.
KEPT = "SKEWLESS_IMAGE_STORE"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark these tests, because they need more than Python."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def builder() -> Iterator[Builder]:
    """A builder with the base images: Debian, with this machine's registries, and Beam's boot."""
    kept = os.environ.get(KEPT)
    place = Path(kept or "/var/tmp")
    if wanted := builders.missing(place):
        artifacts.refuse("; ".join(wanted))
    builder = Builder(Path(kept or tempfile.mkdtemp(prefix="skewless-images-", dir=place)))
    builders.hand_over(builder.store)
    try:
        if kept is None or not (builder.store / "bases").exists():
            (beam,) = re.findall(r"^apache-beam==([\d.]+)", LOCK.read_text(), re.MULTILINE)
            builder.make_bases(artifacts.boot(beam))
        yield builder
    finally:
        if kept is None:
            builder.remove()
        else:
            builder.run("buildah", "rm", "--all")


@pytest.fixture(scope="session")
def images(builder: Builder) -> dict[str, str]:
    """The names of the built images, by target."""
    arguments = {"REVISION": REVISION}
    return {target: builder.build(target, arguments) for target in ("worker", "skewless")}


@pytest.fixture(scope="session")
def shared(builder: Builder) -> Path:
    """A folder that any user may write, /shared in the containers."""
    folder = builder.store / "shared"
    builder.run("buildah", "unshare", "rm", "--recursive", "--force", str(folder))
    builder.run("mkdir", "--mode=1777", str(folder))
    return folder


@pytest.fixture(scope="session")
def containers(builder: Builder, images: dict[str, str], shared: Path) -> dict[str, Container]:
    """A container of each image, by target."""
    return {target: Container.of(builder, image, shared) for target, image in images.items()}


@pytest.fixture(scope="session")
def pushed(containers: dict[str, Container]) -> subprocess.CompletedProcess[str]:
    """The result of `skewless run taxi` in the pipeline's container."""
    return containers["skewless"].run(
        "skewless", "run", "taxi", "--output", "/shared/runs", minutes=15
    )
