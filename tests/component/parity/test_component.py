"""The parity node: the verdict is an artifact, even if the export is not proven."""

import os

import pytest

from components.evaluate.published import content_digest
from components.parity.proof import Proof
from schemas.columns import Column, dumps
from schemas.errors import ModelError
from schemas.tasks.binary import Binary, BinaryExport

pytestmark = pytest.mark.component

COLUMNS = (Column("fare", "FLOAT", True), Column("tips", "FLOAT", False))
LABEL = Binary.model_validate(
    {"name": "big_tip", "exceeds": {"column": "tips", "fraction": 0.2, "of": "fare"}}
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Call the node's function as its executor does, with a given proof."""
    from tfx.types import standard_artifacts

    from components.parity import component

    def call(*, proven, meanwhile=bool):
        def prove(**arguments):
            asked.update(arguments)
            meanwhile()
            return Proof(
                proven=proven,
                real_rows=1,
                real_by_split={"test": 1},
                adversarial_rows=1,
                relative_tolerance=1e-6,
                serving_paths=(),
                questions=(),
                failures=(),
                differences=(),
            )

        asked: dict[str, object] = {}
        monkeypatch.setattr(component, "prove", prove)
        artifacts = {
            "examples": standard_artifacts.Examples(),
            "transform_graph": standard_artifacts.TransformGraph(),
            "trained": standard_artifacts.Model(),
            "exported": standard_artifacts.Model(),
            "proof": standard_artifacts.InfraBlessing(),
        }
        for name, artifact in artifacts.items():
            artifact.uri = str(tmp_path / name)
        (tmp_path / "proof").mkdir()
        model = tmp_path / "exported" / "Format-Serving" / "saved_model.pb"
        model.parent.mkdir(parents=True)
        model.write_bytes(b"graph")
        component.parity.test_call(
            **artifacts,
            columns=dumps(COLUMNS),
            label=LABEL.model_dump_json(),
            answers="{}",
            code="digest",
        )
        return artifacts["proof"], asked

    return call


def test_a_proven_export_is_blessed(run, tmp_path):
    proof, asked = run(proven=True)

    assert proof.get_int_custom_property("blessed") == 1
    assert os.listdir(proof.uri) == ["INFRA_BLESSED"]
    digest = content_digest(str(tmp_path / "exported" / "Format-Serving"))
    assert proof.get_string_custom_property("saved_model") == digest
    assert (tmp_path / "proof" / "INFRA_BLESSED").read_text() == f"{digest}\n"
    assert asked == {
        "examples": str(tmp_path / "examples"),
        "transform_graph_dir": str(tmp_path / "transform_graph"),
        "trained_dir": str(tmp_path / "trained"),
        "saved_model": str(tmp_path / "exported" / "Format-Serving"),
        "columns": COLUMNS,
        "label": LABEL,
        "answers": BinaryExport(),
        "output": str(tmp_path / "proof"),
    }


def test_a_skewed_export_is_recorded_and_not_blessed(run):
    proof, _ = run(proven=False)

    assert proof.get_int_custom_property("blessed") == 0
    assert os.listdir(proof.uri) == ["INFRA_NOT_BLESSED"]


def test_an_export_that_changes_while_it_is_asked_is_not_proven(run, tmp_path):
    def replaced():
        (tmp_path / "exported" / "Format-Serving" / "saved_model.pb").write_bytes(b"another")

    with pytest.raises(ModelError, match="changed while it was used"):
        run(proven=True, meanwhile=replaced)
    assert os.listdir(tmp_path / "proof") == []
