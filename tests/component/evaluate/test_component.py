"""The evaluate node: what it writes into its artifacts."""

import json
import math
import os

import pytest

from components.evaluate.published import content_digest
from components.evaluate.report import Report
from schemas.columns import dumps
from schemas.evaluation import Evaluation
from schemas.tasks.binary import BinaryThresholds
from schemas.tasks.options import Bound

pytestmark = pytest.mark.component


@pytest.fixture
def run(tiny):
    """Call the node's function as its executor does and return its two artifacts."""

    def call(thresholds, serving=None, **model):
        from tfx.types import standard_artifacts

        from components.evaluate.component import evaluate

        def artifact(kind, uri):
            made = kind()
            made.uri = str(uri)
            return made

        outputs = {
            "evaluation": artifact(standard_artifacts.ModelEvaluation, tiny.root / "evaluation"),
            "blessing": artifact(standard_artifacts.ModelBlessing, tiny.root / "blessing"),
        }
        exported = artifact(standard_artifacts.Model, tiny.root / "exported")
        exported.id = 17
        tiny.model("exported/Format-Serving", **model)
        evaluate.test_call(
            examples=artifact(standard_artifacts.Examples, tiny.examples(tiny.rows)),
            model=exported,
            **outputs,
            evaluation_spec=Evaluation(thresholds=thresholds).model_dump_json(),
            columns=dumps(tiny.columns),
            label=tiny.label.model_dump_json(),
            serving_dir=str(serving or tiny.root / "serving"),
            code="digest",
        )
        return outputs["evaluation"], outputs["blessing"]

    return call


def test_a_blessed_model(run, tiny):
    evaluation, blessing = run(BinaryThresholds(auc=Bound(min=0.7)))

    assert os.listdir(blessing.uri) == ["BLESSED"]
    digest = content_digest(str(tiny.root / "exported" / "Format-Serving"))
    assert blessing.get_string_custom_property("saved_model") == digest
    assert (tiny.root / "blessing" / "BLESSED").read_text() == f"{digest}\n"
    assert blessing.get_int_custom_property("blessed") == 1
    assert blessing.get_string_custom_property("current_model") == str(tiny.root / "exported")
    assert blessing.get_int_custom_property("current_model_id") == 17
    assert not blessing.has_custom_property("baseline_model")
    assert json.loads(blessing.get_string_custom_property("reasons")) == []
    assert evaluation.get_float_custom_property("auc") == 0.75
    assert evaluation.get_int_custom_property("examples") == 8
    assert Report.read(evaluation.uri).blessed


def test_a_model_that_is_not_blessed(run):
    evaluation, blessing = run(BinaryThresholds(auc=Bound(min=0.9)))

    assert os.listdir(blessing.uri) == ["NOT_BLESSED"]
    assert blessing.get_int_custom_property("blessed") == 0
    (reason,) = json.loads(blessing.get_string_custom_property("reasons"))
    assert (reason["metric"], reason["value"], reason["bound"]) == ("auc", 0.75, 0.9)
    assert reason["text"] == "auc 0.75 is below the least permitted, 0.9"
    assert not Report.read(evaluation.uri).blessed


def test_the_newest_version_in_the_serving_folder_is_the_last_blessed(run, tiny):
    serving = tiny.root / "serving"
    tiny.model("serving/2", credit=0.5, otherwise=0.5)
    tiny.model("serving/10", credit=0.9, otherwise=0.1)
    (serving / ".push.incoming").mkdir()

    evaluation, blessing = run(BinaryThresholds(), serving)

    assert blessing.get_string_custom_property("baseline_model") == str(serving / "10")
    served = Report.read(evaluation.uri).last_blessed
    assert served is not None
    assert served.metrics is not None
    assert served.path == str(serving / "10")
    assert served.metrics["log_loss"] == pytest.approx(-(6 * math.log(0.9) + 2 * math.log(0.1)) / 8)
