"""The images, built once from the Dockerfile, and a container of each."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images import builder as builders
from tests.images.builder import Builder, Container

REVISION = "0123456789abcdef"
# A folder that keeps the images and their layers, for whoever works on the Dockerfile. Each version
# of the libraries' layer takes 6 GB there; without it, the images are removed in the end.
KEPT = "SKEWLESS_IMAGE_STORE"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip all of these tests where images cannot be built, saying what to do about it."""
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    wanted = builders.missing() if here else []
    for item in here:
        item.add_marker(pytest.mark.engine)
        if wanted:
            item.add_marker(pytest.mark.skip(reason="images: " + "; ".join(wanted)))


@pytest.fixture(scope="session")
def builder() -> Iterator[Builder]:
    """A builder that has the bases: Debian, with this machine's registries, and Beam's boot."""
    kept = os.environ.get(KEPT)
    store = Path(kept or tempfile.mkdtemp(prefix="store-", dir=builders.CACHE))
    store.mkdir(parents=True, exist_ok=True)
    builder = Builder(store, builders.storage_driver(store))
    try:
        if not builder("images", "--quiet", "--filter", f"reference={builders.BEAM}"):
            registries = builders.registry_files(store / "registries.tar")
            settings = builders.registry_settings()
            builder.take(builders.debian_root(), builders.DEBIAN, settings, also=registries)
            builder.take(builders.beam_root(store / "beam"), builders.BEAM)
        yield builder
    finally:
        builder.remove_containers()
        if not kept:
            builder.remove_images()


@pytest.fixture(scope="session")
def images(builder: Builder) -> dict[str, str]:
    """The names of the built images, by target."""
    arguments = {"REVISION": REVISION}
    return {target: builder.build(target, arguments) for target in ("worker", "skewless")}


@pytest.fixture(scope="session")
def containers(builder: Builder, images: dict[str, str]) -> dict[str, Container]:
    """A container of each image, by target."""
    return {target: Container(builder, builder("from", image)) for target, image in images.items()}


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that any user may write, to be mounted in containers."""
    folder = tmp_path_factory.mktemp("shared")
    folder.chmod(0o1777)
    return folder


@pytest.fixture(scope="session")
def pushed(containers: dict[str, Container], shared: Path) -> subprocess.CompletedProcess[str]:
    """What `skewless run taxi` came to in the pipeline's container."""
    return containers["skewless"].run(
        "skewless",
        "run",
        "taxi",
        "--output",
        "/shared/runs",
        folders={shared: "/shared"},
        minutes=6,
    )
