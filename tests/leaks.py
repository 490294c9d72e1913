"""Resources that a test module leaves open fail that module, rather than a later one."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def nothing_is_left_open() -> Iterator[None]:
    """Collect garbage at the end of a module: open files, sockets and processes warn and fail.

    Once for a module, because it takes a tenth of a second if TensorFlow is loaded. What is in use
    at the end, such as modules and caches, is not scanned again.
    """
    yield
    gc.collect()
    gc.freeze()
