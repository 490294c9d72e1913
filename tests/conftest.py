"""What all tiers share."""

from __future__ import annotations

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
