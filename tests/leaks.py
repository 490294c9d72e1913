"""What tests leave open fails them, and not whoever is at work when garbage is collected."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def nothing_is_left_open() -> Iterator[None]:
    """Collect a module's garbage at its end: files, sockets and processes in it warn, which fails.

    Once a module, for that costs a tenth of a second where TensorFlow is loaded.
    """
    yield
    gc.collect()
