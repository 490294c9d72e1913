"""Configuration for all tiers of tests."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# The engine of each file in tests/engines; the tests of other files have it as their parameter.
ENGINES = {
    "test_at_once.py": "flink",
    "test_dataflow.py": "dataflow",
    "test_dataflow_run.py": "dataflow",
    "test_flink.py": "flink",
    "test_prism.py": "prism",
    "test_spark.py": "spark",
    "test_stores.py": "flink",
}

# Files of tests/e2e whose tests have runs of their own, in folders of their own.
OWN_RUNS = {
    "test_every_type.py",
    "test_init.py",
    "test_lists.py",
    "test_new_kinds.py",
    "test_prepare.py",
    "test_tasks.py",
    "test_times.py",
}

# A slow machine must not fail a test. Also, pytest imports Hypothesis at its end, which is too late
# after the gc.freeze() of a server or a run.
settings.register_profile("skewless", deadline=None)
settings.load_profile("skewless")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the golden files with what the code gives now",
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Import the test modules without the garbage collector, and keep their objects out of it.

    TensorFlow, TFX and Beam make a million objects, none garbage, which a collection would scan.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m "alone …"`, import only the files that have such tests."""
    if not config.option.markexpr.startswith("alone") or collection_path.suffix != ".py":
        return None
    return "mark.alone" not in collection_path.read_text(encoding="utf-8") or None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Return the scheduler: tests that share fixtures run in the same process."""
    return _ByFixtures(config, log)


class _ByFixtures(LoadScopeScheduling):
    """Keeps the tests of a file together, all end-to-end tests, and all tests of an engine.

    A file's tests share what its fixtures make, the end-to-end tests share a run, except those with
    runs of their own, and those of an engine share a cluster.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """Return the name of the group of tests that share a process with this one.

    >>> group_of("tests/e2e/test_run.py::test_every_row_is_accounted_for")
    'e2e'
    >>> group_of("tests/e2e/test_init.py::test_a_drafted_dataset_runs_to_a_pushed_model[penguins]")
    'tests/e2e/test_init.py'
    >>> group_of("tests/engines/test_faults.py::test_a_job_ends_with_its_run[spark]")
    'spark'
    >>> group_of("tests/unit/test_docs.py::test_links_lead_somewhere")
    'tests/unit/test_docs.py'
    """
    path, _, test = nodeid.partition("::")
    _, folder, *_, file = path.split("/")
    if folder == "e2e":
        return path if file in OWN_RUNS else folder
    if folder == "engines":
        return ENGINES.get(file) or test.rpartition("[")[2].removesuffix("]")
    return path
