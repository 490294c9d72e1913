"""Several classes: numbers by their order, probabilities that add up, names in every answer."""

import numpy as np
import pytest
import tensorflow as tf

from components.tasks import multiclass
from schemas.errors import DataError
from schemas.tasks.multiclass import Multiclass, MulticlassExport

pytestmark = pytest.mark.component

LEARNED = {"classes": ["10", "Other", "other"]}
LISTED = Multiclass.model_validate({"column": "y", "classes": LEARNED["classes"]})
LOGITS = np.float32([[0, 1, 2], [3, 3, -1], [-90, 0, -90]])


def answers(signature):
    of_logits = multiclass.answers(LISTED, MulticlassExport(), LEARNED)[signature]
    return {name: tensor.numpy() for name, tensor in of_logits(tf.constant(LOGITS)).items()}


def weighed(*parts):
    """Return labels with weights of 1."""
    return [(np.int64(part), np.ones(len(part))) for part in parts]


def test_listed_classes_are_numbered_in_their_order():
    inputs = {"y": tf.constant(["other", "10", "OTHER", "Other"])}
    assert multiclass.label(inputs, LISTED).numpy().tolist() == [2, 0, -1, 1]


def test_whole_numbers_are_classes_by_their_digits():
    inputs = {"y": tf.constant([10, 7], tf.int64)}
    assert multiclass.label(inputs, LISTED).numpy().tolist() == [0, -1]


def test_predict_answers_with_the_likeliest_class():
    found = answers("predict")
    assert found["class"].tolist() == [b"other", b"10", b"Other"]
    np.testing.assert_allclose(found["probabilities"].sum(axis=1), 1, rtol=1e-6)
    assert (found["score"] == found["probabilities"].max(axis=1)).all()
    assert (found["logits"] == LOGITS).all()


def test_classify_names_every_class_in_every_row():
    found = answers("classification")
    assert found["classes"].tolist() == [[b"10", b"Other", b"other"]] * 3
    assert (found["scores"] == answers("predict")["probabilities"]).all()


def test_the_proof_takes_the_class_that_follows_from_the_answered_probabilities():
    decision = multiclass.decisions(LISTED, MulticlassExport(), LEARNED)["class"]
    assert decision.decide(answers("predict")["probabilities"]).tolist() == [
        b"other",
        b"10",
        b"Other",
    ]


def test_an_untrained_model_predicts_the_shares_of_the_classes():
    head = multiclass.head(weighed([0, 0, 2], [2] * 7), LISTED, LEARNED, where="x")
    assert (head.units, head.labels) == (3, {"class_counts": [2, 0, 8]})
    shares = tf.nn.softmax(tf.constant(head.start)).numpy()
    np.testing.assert_allclose(shares, np.array([2.5, 0.5, 8.5]) / 11.5, rtol=1e-5)


def test_one_class_cannot_be_learned():
    with pytest.raises(DataError, match="'y' is 'Other' in all 3 training rows"):
        multiclass.head(weighed([1, 1, 1]), LISTED, LEARNED, where="x")


def test_classes_are_different_names():
    with pytest.raises(ValueError, match="give the classes different names"):
        Multiclass.model_validate({"column": "y", "classes": ["a", "a"]})
