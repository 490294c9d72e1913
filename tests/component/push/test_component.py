"""The push node publishes a model that is blessed and proven; otherwise it says why not."""

import pytest

from components.evaluate.published import content_digest
from schemas.columns import dumps
from schemas.description import read
from schemas.errors import ModelError

pytestmark = pytest.mark.component


@pytest.fixture
def run(tmp_path, exported, judged):
    """Call the node's function as its executor does and return its artifact."""
    model = tmp_path / "exported" / "Format-Serving"
    model.mkdir(parents=True)
    (model / "saved_model.pb").write_bytes(b"graph")
    tiny = exported

    digest = content_digest(str(model))

    def call(*, blessed, proven, judged_by_blessing=digest, judged_by_proof=digest):
        from tfx.types import standard_artifacts

        from components.push.component import push

        exported, blessing, proof, pushed = (
            standard_artifacts.Model(),
            standard_artifacts.ModelBlessing(),
            standard_artifacts.InfraBlessing(),
            standard_artifacts.PushedModel(),
        )
        exported.uri = str(tmp_path / "exported")
        for artifact, value in ((blessing, blessed), (proof, proven)):
            if value is not None:
                artifact.set_int_custom_property("blessed", value)
        blessing.set_string_custom_property("saved_model", judged_by_blessing)
        proof.set_string_custom_property("saved_model", judged_by_proof)
        proof.uri = judged.proof
        described = {
            "evaluation": (standard_artifacts.ModelEvaluation, judged.evaluation),
            "trained": (standard_artifacts.Model, judged.trained),
            "transform_graph": (standard_artifacts.TransformGraph, tiny.transform_graph),
            "examples": (standard_artifacts.Examples, tiny.examples),
        }
        inputs = {name: kind() for name, (kind, _) in described.items()}
        for name, (_, uri) in described.items():
            inputs[name].uri = uri
        push.test_call(
            exported=exported,
            blessing=blessing,
            proof=proof,
            pushed=pushed,
            **inputs,
            model_name="tiny",
            features=judged.features,
            answers=judged.answers.model_dump_json(),
            columns=dumps(tiny.columns),
            expectations=judged.expectations.model_dump_json(),
            digests='{"code": "c"}',
            serving_dir=str(tmp_path / "serving"),
            run_id="run",
            code="digest",
        )
        return pushed

    return call


def test_a_blessed_and_proven_model_is_pushed_once(run, tmp_path):
    first, again = run(blessed=1, proven=1), run(blessed=1, proven=1)

    path = tmp_path / "serving" / "1"
    assert (path / "saved_model.pb").read_bytes() == b"graph"
    described = read(str(path))
    assert described is not None
    assert described.name == "tiny"
    assert described.digests["code"] == "c"
    assert described.digests["saved_model"] == content_digest(str(path))
    assert (path / "MODEL_CARD.md").read_text(encoding="utf-8").startswith("# tiny\n")
    for pushed, new in ((first, 1), (again, 0)):
        assert pushed.get_int_custom_property("pushed") == 1
        assert pushed.get_string_custom_property("pushed_destination") == str(path)
        assert pushed.get_string_custom_property("pushed_version") == "1"
        assert pushed.get_int_custom_property("new") == new


@pytest.mark.parametrize(
    ("blessed", "proven", "reasons"),
    [
        (0, 1, ["did not bless"]),
        (1, 0, ["did not prove"]),
        (0, 0, ["did not bless", "did not prove"]),
        (None, 1, ["did not bless"]),
        (1, None, ["did not prove"]),
    ],
)
def test_any_other_model_is_not_pushed(run, tmp_path, blessed, proven, reasons):
    pushed = run(blessed=blessed, proven=proven)

    assert pushed.get_int_custom_property("pushed") == 0
    said = pushed.get_string_custom_property("reason").split("; ")
    assert len(said) == len(reasons)
    assert all(expected in text for expected, text in zip(reasons, said, strict=True))
    assert not (tmp_path / "serving").exists()


@pytest.mark.parametrize("verdict", ["judged_by_blessing", "judged_by_proof"])
@pytest.mark.parametrize("other", ["", "0" * 64], ids=["unknown", "another"])
def test_a_model_that_a_verdict_is_not_about_is_not_pushed(run, tmp_path, verdict, other):
    with pytest.raises(ModelError, match="is not the one that was judged"):
        run(blessed=1, proven=1, **{verdict: other})
    assert not list((tmp_path / "serving").glob("[0-9]*"))


def test_a_model_that_was_truncated_since_is_not_pushed(run, tmp_path):
    (tmp_path / "exported" / "Format-Serving" / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ModelError, match="is not the one that was judged"):
        run(blessed=1, proven=1)
    assert not list((tmp_path / "serving").glob("[0-9]*"))
