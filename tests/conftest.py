"""What all tiers share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# A slow machine must not fail a test. Besides, pytest's last words import Hypothesis, which is too
# late after the gc.freeze() of a server or a run.
settings.register_profile("skewless", deadline=None)
settings.load_profile("skewless")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the golden files with what the code gives now",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep tests that share fixtures in one process.

    A file's tests share what its fixtures make. The end-to-end tests share one run, which takes
    longer than everything that a file makes, so they stay together whatever their file. A folder
    may have groups of its own: its conftest marks its tests before this does.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        e2e = item.get_closest_marker("e2e")
        group = "e2e" if e2e else str(item.path.relative_to(Path(__file__).parent))
        item.add_marker(pytest.mark.xdist_group(group))
