"""An honest export is proven; every planted skew is caught and named."""

import numpy as np
import pytest

from components.parity.proof import Proof, describe

pytestmark = pytest.mark.component

BOTH = {"Python", "C API"}
# The questions about whole rows, one for each signature that a model has.
WHOLE = (
    *("transform_features", "serving_default", "classification", "regression", "evaluation"),
    *("predict", "raw_columns"),
)


def by_both(*features):
    return {title: set(features) for title in BOTH}


def differing(proof, signature):
    """The features or outputs that differ by a signature, by serving path."""
    found: dict[str, set[str]] = {}
    for difference in proof.differences:
        title, path = difference.path.split(": ", maxsplit=1)
        if path == signature:
            found.setdefault(title, set()).add(difference.feature)
    return found


def test_an_honest_export_is_proven_by_every_path(exported, prove, tmp_path):
    proof = prove(exported.saved_model)

    assert proof.proven, describe(proof)
    assert (proof.real_rows, proof.failures, proof.differences) == (120, (), ())
    assert proof.adversarial_rows > 1_000
    rows = proof.real_rows + proof.adversarial_rows
    for path in proof.questions:
        if not any(part in path.name for part in ("without", "row by row", "in batches")):
            assert path.rows == rows, path
    names = {path.name for path in proof.questions}
    for title in BOTH:
        for path in (
            *("serving_default", "raw_columns", "transform_features", "classification"),
            *("regression", "evaluation", "predict", "predict row by row"),
            *("raw_columns row by row", "transform_features row by row"),
            *(f"predict in batches of {size}" for size in ("1", "16", "512", "2,000")),
        ):
            assert f"{title}: {path}" in names
    for column in ("age", "self", "hours-per-week", "Fare ($)", "naïve", "a b", "a_b", "Age"):
        assert f"C API: raw_columns without {column!r}" in names
    features = next(p for p in proof.questions if p.name == "C API: transform_features")
    assert features.values == rows * len(exported.layout.features)
    assert Proof.read(str(tmp_path / "proof")) == proof


def test_a_changed_mean_is_named(export, judged, exported):
    ages = [age for age in train_column(exported, "age") if age is not None]
    mean = nearest(export.constants(), np.mean(ages))
    export.change_constant(mean, mean * np.float32(1.00001))
    proof = judged(export.path, "transform_features")

    assert not proof.proven
    assert differing(proof, "transform_features") == by_both("age_z_score")
    worst = next(d for d in proof.differences if d.feature == "age_z_score")
    assert abs(float(worst.got) - float(worst.expected)) < 1e-3
    assert worst.relative is not None
    assert worst.content["age"] not in ("", "missing")
    text = describe(proof)
    for part in ("age_z_score", worst.expected, worst.got, worst.row):
        assert part in text


def test_changed_vocabularies_and_boundaries_are_each_named(export, judged, exported):
    def swap_and_cut(lines):
        first = next(i for i, line in enumerate(lines) if line.endswith(b"Cash"))
        swapped = [lines[first + 1], lines[first]]
        return [*lines[:first], *swapped, *lines[first + 2 : -1]]

    export.change_vocabulary(swap_and_cut)
    hours = [hour for hour in train_column(exported, "hours-per-week") if hour is not None]
    median = nearest(export.constants(), np.median(hours))
    export.change_constant(median, median + np.float32(1))
    proof = judged(export.path, "transform_features", "serving_default", "raw_columns")

    assert not proof.proven
    assert differing(proof, "transform_features") == by_both(
        "naïve_id", "Age_id", "hours-per-week_bucket"
    )
    for path in ("serving_default", "raw_columns"):
        assert differing(proof, path) == by_both("scores", "logits")
    swapped = next(d for d in proof.differences if d.feature == "naïve_id")
    assert {swapped.expected, swapped.got} == {"1", "2"}
    assert swapped.content["naïve"] in ("'Cash'", "'Crédit'")


def test_swapped_weights_are_named_by_the_scores_they_change(export, judged):
    export.change_weights("deep_0/kernel", lambda kernel: kernel[::-1])
    proof = judged(export.path, *WHOLE)

    assert not proof.proven
    assert differing(proof, "transform_features") == {}
    assert differing(proof, "serving_default") == by_both("scores", "logits")
    assert differing(proof, "classification") == by_both("scores")
    assert differing(proof, "regression") == by_both("outputs")
    assert differing(proof, "evaluation") == by_both("scores", "logits")
    # its class differs too where a score crosses the threshold
    predicted = differing(proof, "predict")
    assert set(predicted) == BOTH
    assert all({"score", "probabilities", "logits"} <= found for found in predicted.values())


def test_dropped_and_changed_defaults_are_named_by_their_column(export, judged):
    import tensorflow as tf

    with export.graph() as graph:
        defaults = graph.signature_def["raw_columns"].defaults
        del defaults["age"]
        defaults["naïve"].CopyFrom(tf.make_tensor_proto([b"Cash"] * 4))
        defaults["Fare ($)"].CopyFrom(tf.make_tensor_proto([0.0], tf.float32))
    proof = judged(export.path)

    assert not proof.proven
    failures = {failure.path: failure.reason for failure in proof.failures}
    assert set(failures) == {
        "C API: raw_columns without 'age'",
        "C API: raw_columns without 'Fare ($)'",
    }
    assert "input 'age' is left out and has no default" in failures.popitem()[1] + str(failures)
    assert {d.path for d in proof.differences} == {"C API: raw_columns without 'naïve'"}
    assert {d.feature for d in proof.differences} == {"scores", "logits"}
    assert {d.content["naïve"] for d in proof.differences} == {"missing"}


def test_swapped_classes_and_a_signature_that_was_removed_are_named(export, judged):
    with export.graph() as graph:
        del graph.signature_def["regression"]
        outputs = graph.signature_def["serving_default"].outputs
        outputs["scores"].name, outputs["logits"].name = (
            outputs["logits"].name,
            outputs["scores"].name,
        )
    proof = judged(export.path)

    assert not proof.proven
    assert [failure.path for failure in proof.failures] == ["C API: regression"]
    assert "there is no signature 'regression'" in proof.failures[0].reason
    assert differing(proof, "serving_default") == {"C API": {"scores", "logits"}}


def test_an_export_that_does_not_load_is_not_proven_and_says_why(export, prove):
    (export.path / "saved_model.pb").write_bytes(b"no graph")
    proof = prove(export.path)

    assert not proof.proven
    assert {failure.path for failure in proof.failures} == BOTH
    for failure in proof.failures:
        assert "the export does not load" in failure.reason
    assert proof.questions == ()


def test_an_export_without_weights_answers_nothing(export, prove):
    (export.path / "variables" / "variables.index").unlink()
    proof = prove(export.path)

    assert not proof.proven
    # TensorFlow's C++ loader treats it as a model without weights, and fails when it is run.
    failed = {failure.path: failure.reason for failure in proof.failures}
    assert "the export does not load" in failed["Python"]
    assert "C API: serving_default" in failed
    # the one signature that needs no weights
    assert all(path.name.startswith("C API: transform_features") for path in proof.questions)
    assert describe(proof).count("gave no answer") == 4
    assert f"and {len(failed) - 4} more" in describe(proof)


def nearest(values, wanted):
    found = values[np.argmin(np.abs(values - wanted))]
    assert abs(found - wanted) < 1
    return found


def train_column(exported, name):
    from components.examples import iter_batches

    batches = iter_batches(exported.examples, "train", [name])
    return [value for batch in batches for value in batch.column(0).to_pylist()]
