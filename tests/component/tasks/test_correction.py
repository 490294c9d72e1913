"""Logits of a model that learnt from a sample of classes are corrected."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from components.tasks import binary, multiclass
from components.tasks.correction import correct, measured_corrections, shares_kept
from schemas import signatures as names
from schemas.tasks.binary import Binary, BinaryExport
from schemas.tasks.multiclass import Multiclass, MulticlassExport

pytestmark = pytest.mark.component

SAMPLED = {"no": (900, 90), "yes": (100, 100)}
LABEL = Binary(name="y", column="y", positive="yes")
LEARNED = {"classes": ["no", "yes"]} | measured_corrections(SAMPLED, ["no", "yes"])


def test_a_model_that_knows_only_the_sample_s_base_rate_gives_the_real_one():
    answers = binary.answers(LABEL, BinaryExport(), LEARNED)
    logits = correct(tf.constant([np.log(100 / 90)], tf.float32), LEARNED)  # the sample's odds
    found = answers[names.PREDICT](logits)
    assert found[names.SCORE].numpy() == pytest.approx([0.1], rel=1e-5)
    assert found[names.PROBABILITIES].numpy() == pytest.approx(np.array([[0.9, 0.1]]), rel=1e-5)
    assert found[names.CLASS].numpy().tolist() == [b"no"]
    assert found[names.LOGITS].numpy() == pytest.approx([np.log(1 / 9)], rel=1e-5)


def test_each_class_of_several_has_its_own_correction():
    classes = ["a", "b", "c"]
    sampled = {"a": (1000, 100), "b": (100, 100), "c": (50, 150)}
    learned = {"classes": classes} | measured_corrections(sampled, classes)
    answers = multiclass.answers(Multiclass(name="y", column="y"), MulticlassExport(), learned)
    logits = correct(tf.constant([np.log([100, 100, 150])], tf.float32), learned)
    found = answers[names.PREDICT](logits)
    assert found[names.PROBABILITIES].numpy() == pytest.approx(
        np.array([[1000, 100, 50]]) / 1150, rel=1e-5
    )


def test_without_a_sample_logits_stay_as_they_are():
    logits = tf.constant([1.5])
    assert correct(logits, {}) is logits
    assert measured_corrections({}, ["no", "yes"]) == {}


def test_a_class_without_rows_is_not_corrected():
    assert shares_kept({"a": (10, 5)}, ["a", "b"]) == [0.5, 1.0]
    assert measured_corrections({"a": (10, 10)}, ["a", "b"]) == {"correction": [0.0, 0.0]}
