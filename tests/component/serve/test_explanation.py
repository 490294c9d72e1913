"""Explanations of rows by the tiny run's export."""

import json

import numpy as np
import pytest

from components.export import background
from components.serve import loaded
from components.serve.explanation import RowExplainer, explain_request
from components.serve.failures import RequestError
from components.serve.model import SavedModelBundle
from components.serve.predict import Instances, parse
from pipeline.explain import lines
from tests.described import described

pytestmark = pytest.mark.component

ROW = {"age": 41, "Fare ($)": 12.5, "naïve": "a", "self": 3}


def rows_of(exported):
    return background.read_bytes(exported.saved_model)


@pytest.fixture(scope="module")
def bundle(exported):
    return SavedModelBundle(exported.saved_model)


@pytest.fixture(scope="module")
def explainer(exported, bundle):
    metrics = [
        {"name": name, "rows": rows, "metrics": {"log_loss": 0.25, "auc": None, "accuracy": 0.9}}
        for name, rows in (("", 90), ("age = 41", 7), ("a b = (missing)", 2), ("a_b = (other)", 4))
    ]
    return RowExplainer(bundle, rows_of(exported), described(metrics=metrics))


def test_contributions_and_the_mean_of_the_background_add_up_to_the_logit(exported, explainer):
    found = explainer.explain(ROW)
    total = found.base[0] + sum(each.adds[0] for each in found.contributions)
    assert total == pytest.approx(found.answer["logits"], abs=1e-5)
    assert (found.output, found.exact, found.classes) == ("logit", True, ())
    assert found.background == background.parse(rows_of(exported)).num_rows > 1
    assert {each.column for each in found.contributions} == {
        column.name for column in exported.columns if column.serving
    }
    values = {each.column: each.value for each in found.contributions}
    assert (values["age"], values["a b"]) == (41, None)
    sizes = [abs(each.adds[0]) for each in found.contributions]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0


def test_the_base_is_the_mean_logit_of_the_background(exported, bundle, explainer):
    rows = background.parse(rows_of(exported)).to_pylist()
    given = [{name: v for name, v in row.items() if v is not None} for row in rows]
    request = parse({"instances": given}, bundle.signatures["raw_columns"], optional=True)
    assert isinstance(request.inputs, Instances)
    logits = bundle.run("raw_columns", request.inputs.arrays())["logits"]
    assert explainer.explain(ROW).base[0] == pytest.approx(np.mean(logits), abs=1e-5)


def test_the_slices_of_the_row_have_their_metrics(explainer):
    found = explainer.explain(ROW)
    assert [(each.name, each.rows) for each in found.slices] == [
        ("a b = (missing)", 2),
        ("age = 41", 7),
    ]
    shown = list(lines(found))
    assert any(line.startswith("age = 41 ") and "0.2500" in line for line in shown)
    assert any(line.startswith("naïve = a ") and "│" in line for line in shown)


@pytest.mark.parametrize(
    "row", [{"ages": 1}, {"age": "old"}, {"age": 1.5}, {"naïve": 3}, {"Fare ($)": [1, 2]}]
)
def test_a_wrong_row_has_the_error_of_the_server(explainer, bundle, row):
    def ask():
        request = parse({"instances": [row]}, bundle.signatures["raw_columns"], optional=True)
        assert isinstance(request.inputs, Instances)
        bundle.run("raw_columns", request.inputs.arrays())

    with pytest.raises(RequestError) as expected:
        ask()
    error = expected.value.explained() if hasattr(expected.value, "explained") else expected.value
    with pytest.raises(RequestError) as found:
        explainer.explain(row)
    assert str(found.value) == str(error)


def test_a_model_without_training_rows_cannot_be_explained(exported, bundle, tmp_path):
    assert background.read_bytes(str(tmp_path)) is None
    with pytest.raises(RequestError, match="no training rows to compare a row with") as error:
        RowExplainer(bundle, None, None)
    assert error.value.status == 501


def test_the_file_is_the_one_that_the_server_reads():
    assert loaded._BACKGROUND == background.FILE


def test_a_request_has_one_row_and_its_work_is_bounded(exported, bundle):
    rows = rows_of(exported)
    answer = json.loads(explain_request(bundle, rows, None, {"instances": [ROW]}))
    (found,) = answer["explanations"]
    assert found["scored"] <= 12_000
    for instances in ([], [ROW, ROW], ROW, [3]):
        with pytest.raises(RequestError, match="takes one row"):
            explain_request(bundle, rows, None, {"instances": instances})
    columns = {"inputs": {name: [value] for name, value in ROW.items()}}
    assert json.loads(explain_request(bundle, rows, None, columns)) == answer


def test_an_explanation_is_json(explainer):
    assert json.loads(explainer.explain(ROW).model_dump_json())["scored"] > 0
