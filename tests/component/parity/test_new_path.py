"""An additional serving path, one file and one line, is asked, and named if it is wrong."""

import importlib

import pytest

from components.parity import answers
from components.parity.serving_paths.c_api import CApi

pytestmark = pytest.mark.component

FILE = '''
from components.parity.serving_paths.c_api import CApi


class Toy(CApi):
    """The C API in a process of its own, with other scores."""

    name = "toy"
    process = "toy"

    @staticmethod
    def questions(sets):
        return [q for q in sets.everything if q.name in ("predict", "raw_columns")]

    def run(self, signature, feeds):
        outputs = super().run(signature, feeds)
        return {k: v * 1.001 if k == "scores" else v for k, v in outputs.items()}
'''


def test_a_new_path_is_asked_its_questions_and_named_when_it_is_wrong(
    exported, prove, tmp_path, monkeypatch
):
    (tmp_path / "toy_path.py").write_text(FILE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    toy = importlib.import_module("toy_path")
    monkeypatch.setattr(answers, "SERVING_PATHS", (CApi, toy.Toy))
    proof = prove(exported.saved_model, real_rows=20)

    assert {path.name: path.proven for path in proof.serving_paths} == {"C API": True, "toy": False}
    asked = [result.question for result in proof.questions if result.serving_path == "toy"]
    assert asked == ["raw_columns", "predict"]
    assert {(d.path, d.feature) for d in proof.differences} == {("toy: raw_columns", "scores")}
