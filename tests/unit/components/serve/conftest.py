"""Signatures as exports have them, and a model that computes on them without TensorFlow."""

import numpy as np
import pytest

from components.serve.failures import RequestError
from components.serve.signature import Signature, Tensor

CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"
PREDICT = "tensorflow/serving/predict"


def tensor(dtype, *shape):
    return Tensor("t:0", dtype, shape)


@pytest.fixture
def columns():
    """A signature of one column a kind."""
    return Signature(
        inputs={
            "fare": tensor("DT_FLOAT", -1),
            "trips": tensor("DT_DOUBLE", -1),
            "company": tensor("DT_STRING", -1),
        },
        outputs={"scores": tensor("DT_FLOAT", -1), "logits": tensor("DT_FLOAT", -1)},
        method_name=PREDICT,
        left_out={"fare": float("nan"), "trips": float("nan"), "company": b""},
    )


@pytest.fixture
def one_input():
    """Return a signature of one input of this type and shape."""

    def make(dtype, *shape, method=PREDICT):
        return Signature(
            {"x": tensor(dtype, *shape)}, {"y": tensor("DT_FLOAT", -1)}, method_name=method
        )

    return make


class Doubler:
    """A model whose scores are twice the fares; it refuses negative ones."""

    def __init__(self, columns):
        examples = {"inputs": tensor("DT_STRING", -1)}
        self.signatures = {
            "serving_default": columns,
            "regression": Signature(examples, {"outputs": tensor("DT_FLOAT", -1)}, REGRESS),
            "classification": Signature(examples, {"scores": tensor("DT_FLOAT", -1, 2)}, CLASSIFY),
        }
        self.batches = []

    def run(self, signature, inputs):
        first = next(iter(inputs.values()))
        self.batches.append((signature, len(first)))
        if signature == "regression":
            return {"outputs": np.array([len(v) for v in first], np.float32)}
        if signature == "classification":
            return {"scores": np.array([[0.25, 0.75]] * len(first), np.float32)}
        if (inputs["fare"] < 0).any():
            raise RequestError("a fare is negative")
        return {"scores": inputs["fare"] * 2, "logits": inputs["fare"]}


@pytest.fixture
def model(columns):
    return Doubler(columns)
