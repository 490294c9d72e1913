"""Importing skewless imports nothing else, and lists all public names."""

import subprocess
import sys

import pytest

import skewless


def in_a_process(code, **options):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, **options
    ).stdout.split()


def test_an_import_brings_nothing_of_other_packages(tmp_path):
    loaded = in_a_process("import sys, skewless; print(*sys.modules)", cwd=tmp_path)
    ours = {name for name in loaded if name.partition(".")[0] == "skewless"}
    assert ours == {"skewless", "skewless.own_packages"}
    tops = {name.partition(".")[0] for name in loaded}
    others = ("components", "pipeline", "schemas", "tensorflow", "apache_beam", "pyarrow", "numpy")
    assert not tops & {*others, "pydantic", "yaml", "click"}


def test_errors_are_there_without_the_libraries_that_raise_them(tmp_path):
    code = "import sys, skewless; skewless.ModelError, skewless.Summary; print(*sys.modules)"
    loaded = in_a_process(code, cwd=tmp_path)
    assert not {"tensorflow", "apache_beam", "pyarrow"} & set(loaded)


def test_names_are_listed_before_they_are_imported(tmp_path):
    names = in_a_process("import skewless; print(*dir(skewless))", cwd=tmp_path)
    assert {"load", "run", "SavedModelHandler", "ScoreMessages"} <= set(names)
    assert set(skewless.__all__) <= set(names)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'skewless' has no attribute 'lode'"):
        skewless.lode  # type: ignore[attr-defined]  # noqa: B018
