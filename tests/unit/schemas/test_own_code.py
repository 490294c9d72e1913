"""features.py beside pipeline.yaml is checked before it is run."""

from __future__ import annotations

import pytest

from pipeline import digests
from schemas import catalog
from schemas.errors import ConfigError
from tests.unit.schemas.conftest import refusal

CODE = "import numpy as np\n\ndef preprocess(inputs, tft):\n    return {}\n"


def with_code(folder, code, own="{columns: [fare], features: {ratio: number, zone: 9}}"):
    folder.change("model:\n", f"combinations: [own: {own}]\nmodel:\n")
    if code is not None:
        (folder.path / "features.py").write_text(code)
    return folder


def test_its_features_join_the_declared_ones(folder):
    dataset = catalog.load(str(with_code(folder, CODE)))
    assert dataset.spec.transformed_names[-2:] == ("ratio", "zone")
    assert dataset.code == CODE
    assert "numpy" in digests.libraries(CODE, "features.py")
    one, other = (digests.of_sources(dataset.spec, "", {}, code) for code in (CODE, CODE + "#"))
    assert one["features.py"] != other["features.py"]


@pytest.mark.parametrize(
    ("code", "said", "line"),
    [
        (None, "`own` needs features.py, which is missing", ""),
        ("def preprocess(\n", "features.py is not Python", ":1"),
        ("x = 1\nif x:\nprint(x)\n", "features.py is not Python: expected an indented block", ":3"),
        ("preprocess = 3\n", "features.py has no function 'preprocess'", ""),
        ("def process(a, b): pass\n", "did you mean 'process'?", ""),
        ("\ndef preprocess(inputs): pass\n", "does not take two arguments", ":2"),
        ("def preprocess(a, b, *, c): pass\n", "does not take two arguments", ":1"),
    ],
)
def test_a_wrong_file_is_refused(folder, code, said, line):
    error = refusal(with_code(folder, code))
    assert said in error.what
    assert line in error.where


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("{columns: [fare], features: {hour_id: 9}}", "two transformed features have the name"),
        ("{columns: [fair], features: {x: 9}}", "there is no column 'fair'"),
        ("{columns: [tips], features: {x: 9}}", "'tips' is not known when serving"),
        ("{columns: [fare], features: {x: 1}}", "greater than or equal to 2"),
        ("{columns: [fare], features: {}}", "at least 1 item"),
        ("{columns: [fare], features: {a b: 5}}", "letters, digits and _"),
    ],
)
def test_wrong_options_are_refused(folder, own, said):
    assert said in refusal(with_code(folder, CODE, own)).what


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nothing_here\n", "imports nothing_here, which belongs to no installed"),
        ("from . import x\n", "a relative import"),
    ],
)
def test_imports_of_what_is_not_installed_are_refused(code, said):
    with pytest.raises(ConfigError, match=said):
        digests.libraries(code, "features.py")
