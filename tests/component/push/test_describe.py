"""model.json has what the artifacts of a run contain, and nothing else."""

import math
from datetime import datetime
from typing import Any

import pytest

from components.evaluate.published import content_digest
from components.examples import iter_batches
from components.push.card import card
from components.push.describe import Artifacts, describe, example_row
from components.transform.preprocessing import Preprocessing
from schemas.description import FILE_NAME, Description, read

pytestmark = pytest.mark.component


@pytest.fixture
def described(exported, judged):
    return describe(
        Artifacts(
            examples=exported.examples,
            transform_graph=exported.transform_graph,
            trained=judged.trained,
            evaluation=judged.evaluation,
            proof=judged.proof,
        ),
        name="tiny",
        preprocessing=Preprocessing.loads(judged.features),
        answers=judged.answers,
        columns=exported.columns,
        expectations=judged.expectations.columns,
        digests={"code": "c", "saved_model": "5" * 64},
        pushed_at="2026-11-21T05:00:00+00:00",
    )


def test_inputs_are_what_a_request_carries(described, exported):
    inputs = {i.name: i for i in described.inputs}
    assert list(inputs) == [
        "age",
        "hours-per-week",
        "Fare ($)",
        "naïve",
        "a b",
        "a_b",
        "self",
        "Age",
    ]
    age = inputs["age"]
    assert (age.kind, age.required, age.minimum, age.maximum) == ("INT", True, 1, 8)
    assert age.description == "In years."
    assert age.known is not None
    assert set(age.known) == {str(n) for n in range(1, 9)}
    assert inputs["naïve"].values == ("Cash", "Crédit")
    batches = iter_batches(exported.examples, "train", ["a b"])
    words = [word for batch in batches for word in batch.column(0).to_pylist() if word]
    assert inputs["a b"].known == tuple(sorted(set(words), key=lambda w: (-words.count(w), w)))
    assert inputs["Fare ($)"].known is None


def test_the_example_is_a_real_row_that_lacks_least(exported, described):
    names = [i.name for i in described.inputs]
    rows = [r for b in iter_batches(exported.examples, "test", names) for r in b.to_pylist()]
    example = {i.name: i.example for i in described.inputs}
    assert any(
        all(
            example[n] == row[n]
            or (isinstance(row[n], float) and math.isclose(example[n], row[n], rel_tol=1e-6))
            for n in names
        )
        for row in rows
    )
    assert None not in example.values()
    fare = example["Fare ($)"]
    assert len(str(fare)) < 12  # the digits of a float32, not of a float64


def test_times_are_as_a_request_carries_them(timed):
    serving = tuple(c for c in timed.columns if c.serving)
    example: dict[str, Any] = example_row(timed.examples, serving)
    assert datetime.strptime(example["ordered at"], "%Y-%m-%d %H:%M:%S").year >= 2000  # noqa: DTZ007
    assert 11_000 <= example["days"] < 20_000
    assert example["seconds"] % 86_400 == 0
    assert example["flag"] in (0, 1)
    assert example["member"] in ("yes", "no")


def test_figures_are_those_that_stages_wrote_down(described, exported):
    overall, part = described.metrics
    assert (overall.name, overall.rows, overall.metrics["auc"]) == ("", 40, 0.9)
    assert (part.name, part.rows, part.metrics["pr_auc"]) == ("naïve = Cash", 7, None)
    assert described.baseline["log_loss"] == 0.2
    assert described.rows == {"train": 40, "eval": 40, "test": 40}
    assert (described.real_rows, described.adversarial_rows) == (40, 2)
    assert [p.values for p in described.parity] == [210]
    assert described.training_examples == 40
    assert described.digests == {
        "code": "c",
        "data": content_digest(exported.examples),
        "saved_model": "5" * 64,
    }


def test_the_outputs_are_described(described):
    assert described.label == "big_tip: whether 'tips' is more than 0.3 times 'Fare ($)'"
    assert (described.classes, described.threshold) == (("no", "yes"), 0.5)
    assert not described.threshold_chosen
    outputs = {s.name: [o.name for o in s.outputs] for s in described.signatures}
    assert outputs["predict"] == [
        *("score", "class", "probabilities", "logits", "warnings", "out_of_vocabulary")
    ]
    assert "evaluation" not in outputs


def test_signatures_are_those_of_the_saved_model(described, exported):
    from components.parity.c_api import SavedModel

    with SavedModel(exported.saved_model) as loaded:
        real = {
            name: set(s.outputs) for name, s in loaded.signatures.items() if name != "evaluation"
        }
    listed = {s.name: {o.name for o in s.outputs} for s in described.signatures}
    listed["predict"] -= {"warnings", "out_of_vocabulary"}  # this export has none
    assert listed == {name: outputs for name, outputs in real.items() if name in listed}
    assert set(listed) <= set(real)


def test_what_the_columns_become_is_told_with_every_option(described):
    assert [(f.columns, f.treatment) for f in described.features] == [
        (("age",), "z_score (log1p: false, clip: 10.0)"),
        (
            ("age",),
            'vocabulary (top_k: 10000, min_count: 1, oov_buckets: 1, order: "frequency")',
        ),
        (("naïve", "a b"), "cross (buckets: 16)"),
    ]


def test_it_reads_back_and_has_a_card(described, tmp_path):
    (tmp_path / FILE_NAME).write_text(described.model_dump_json(), encoding="utf-8")
    assert read(str(tmp_path)) == described
    assert isinstance(described, Description)
    assert card(described).startswith("# tiny\n")


def test_no_rows_have_no_example(exported, tmp_path):
    (tmp_path / "Split-test").mkdir()
    assert example_row(str(tmp_path), exported.columns) == {}
