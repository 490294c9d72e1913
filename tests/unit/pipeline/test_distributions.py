"""Whose a module is, and what a distribution requires, from metadata alone."""

import sys

import pytest

from pipeline.distributions import Installed, installed, is_there, metadata_folders
from tests.unit.pipeline.distributions import install


def owners(site, module):
    return Installed([str(site)]).owners(module)


def versions(site, *names):
    return Installed([str(site)]).versions(names)


def test_a_namespace_package_is_told_apart_by_files(tmp_path):
    install(tmp_path, "google-one", files=("google/cloud/one/__init__.py", "google/cloud/one/a.py"))
    install(tmp_path, "google-two", files=("google/cloud/two.cpython-310-x86_64-linux-gnu.so",))
    assert owners(tmp_path, "google.cloud.one.a") == {"google-one"}
    assert owners(tmp_path, "google.cloud.one.Client") == {"google-one"}
    assert owners(tmp_path, "google.cloud.two") == {"google-two"}
    assert owners(tmp_path, "google.cloud.three") == owners(tmp_path, "google") == set()


def test_a_distribution_is_found_by_another_name_than_its_own(tmp_path):
    install(tmp_path, "Py_YAML", files=("yaml/__init__.py", "yaml/py.typed"))
    assert owners(tmp_path, "yaml.safe_load") == {"py-yaml"}
    assert owners(tmp_path, "Py_YAML") == set()


def test_what_has_no_record_is_known_by_its_top_level(tmp_path):
    install(tmp_path, "toy")
    (tmp_path / "toy-1.dist-info" / "RECORD").unlink()
    (tmp_path / "toy-1.dist-info" / "top_level.txt").write_text("toy\ntoy_more\n")
    assert owners(tmp_path, "toy_more.reading") == {"toy"}


def test_versions_are_those_of_all_that_is_required(tmp_path):
    install(tmp_path, "toy", requires=("engine>=1", "absent", "old; python_version < '3'"))
    install(tmp_path, "engine", version="7", requires=("toy", "store[fast]"))
    install(tmp_path, "store", requires=("fast; extra == 'fast'", "slow; extra == 'slow'"))
    for name in ("fast", "slow", "old", "unrelated"):
        install(tmp_path, name)
    assert versions(tmp_path, "toy") == {"engine": "7", "fast": "1", "store": "1", "toy": "1"}
    assert versions(tmp_path, "store") == {"store": "1"}
    assert versions(tmp_path) == {}


def test_the_first_of_two_on_the_path_counts(tmp_path):
    for version in ("1", "2"):
        (tmp_path / version).mkdir()
        install(tmp_path / version, "toy", version=version)
    path = [str(tmp_path / "2"), str(tmp_path / "1"), str(tmp_path / "gone")]
    assert Installed(path).versions(["toy"]) == {"toy": "2"}


def test_what_a_package_has_for_itself_does_not_count(tmp_path, monkeypatch):
    (tmp_path / "setuptools" / "_vendor").mkdir(parents=True)
    (tmp_path / "setuptools" / "__init__.py").touch()
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    install(tmp_path, "setuptools", files=("setuptools/__init__.py",))
    before = metadata_folders()
    assert before == ["setuptools-1.dist-info"]
    sys.path.append(str(tmp_path / "setuptools" / "_vendor"))
    install(tmp_path / "setuptools" / "_vendor", "toy", files=("toy.py",))
    assert metadata_folders() == before
    assert not installed().owners("toy")


def test_what_an_uninstalled_one_left_behind_is_passed_over(tmp_path):
    (tmp_path / "~oy-1.dist-info").mkdir()
    install(tmp_path, "toy")
    assert versions(tmp_path, "toy") == {"toy": "1"}


@pytest.mark.parametrize(
    ("module", "there"),
    [
        ("loose", True),
        ("loose.name", True),
        ("package.module", True),
        ("namespace.package.name", True),
        ("namespace", False),
        ("namespace.gone", False),
        ("gone", False),
    ],
)
def test_a_module_is_there_without_a_distribution(tmp_path, monkeypatch, module, there):
    for file in ("loose.py", "package/__init__.py", "namespace/package/__init__.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("raise AssertionError('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert is_there(module) is there
