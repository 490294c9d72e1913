"""A user's package that hides one of Skewless's is named, with a remedy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skewless import own_packages

ROOT = Path(__file__).parents[3]
THEIRS = {
    "pipeline": "pipeline/__init__.py",
    "components": "components.py",
    "schemas": "schemas/__init__.py",
}


@pytest.fixture(params=THEIRS)
def hidden(request, tmp_path):
    """The name of a package that another one hides in the folder of the test."""
    path = tmp_path / THEIRS[request.param]
    path.parent.mkdir(exist_ok=True)
    path.write_text("raise AssertionError('imported')\n", encoding="utf-8")
    return request.param


def python(folder, *arguments):
    """Start Python in a folder, which then comes first on sys.path."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_says_what_hides_a_package(hidden, tmp_path):
    done = python(tmp_path, "-m", "skewless", "--help")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"error: Skewless needs its own package {hidden!r}, and Python finds another one",
        f"  where:     {tmp_path / THEIRS[hidden]}",
        f"  expected:  {ROOT / hidden / '__init__.py'}",
        "  to do:     rename it, or keep its folder off sys.path (PYTHONPATH, working folder)",
    ]


def test_an_import_says_it_when_a_name_is_used(hidden, tmp_path):
    done = python(tmp_path, "-c", "import skewless; print('imported'); skewless.run")
    assert done.stdout == "imported\n"
    error = f"ImportError: Skewless needs its own package {hidden!r}, and Python finds another one"
    assert error in done.stderr


def test_a_folder_of_the_same_name_hides_nothing(tmp_path):
    (tmp_path / "pipeline").mkdir()
    done = python(tmp_path, "-m", "skewless", "--version")
    assert done.returncode == 0
    assert done.stdout.startswith("skewless ")


def test_a_package_that_is_nowhere_is_reported(monkeypatch):
    monkeypatch.setattr(own_packages, "NAMES", ("skewless_gone",))
    problem = own_packages.foreign_package()
    assert problem is not None
    assert "where:     nowhere on sys.path" in problem
