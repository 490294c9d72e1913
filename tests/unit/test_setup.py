"""setup.py ships all files of the packages, and names only existing ones."""

import pkgutil
import runpy
from pathlib import Path
from unittest import mock

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def arguments():
    with mock.patch("setuptools.setup") as setup:
        runpy.run_path(str(ROOT / "setup.py"))
    return setup.call_args.kwargs


def test_every_file_that_is_not_python_is_shipped(arguments):
    data = {
        path
        for folder in ("components", "pipeline", "schemas", "skewless")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    }
    shipped = {
        path
        for package, patterns in arguments["package_data"].items()
        for pattern in patterns
        for path in ROOT.joinpath(*package.split(".")).glob(pattern)
    }
    assert shipped == data


def test_every_pattern_of_a_shipped_file_finds_one(arguments):
    for package, patterns in arguments["package_data"].items():
        folder = ROOT.joinpath(*package.split("."))
        assert [p for p in patterns if not any(folder.glob(p))] == [], package


def test_every_package_that_ships_files_is_shipped(arguments):
    assert set(arguments["package_data"]) <= set(arguments["packages"])


def test_every_command_is_there(arguments):
    for script in arguments["entry_points"]["console_scripts"]:
        assert callable(pkgutil.resolve_name(script.partition(" = ")[2]))
