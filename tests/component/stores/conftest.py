"""Emulators of both stores, once for each module; a new folder for every test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests import emulators
from tests.emulators import Emulators


@pytest.fixture(scope="package")
def stores_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    with emulators.running(tmp_path_factory.mktemp("emulators")) as both:
        yield both


@pytest.fixture(params=emulators.ROOTS, ids=["gs", "s3"])
def store(request: pytest.FixtureRequest, stores_running: Emulators) -> str:
    """An unused folder in each of the stores."""
    return f"{request.param}/{uuid.uuid4().hex}"
