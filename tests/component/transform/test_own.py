"""features.py of a dataset inside the transform graph: bounds, and errors with its lines."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from components.transform.treatments.own import apply
from components.transform.treatments.protocol import Use
from schemas.errors import ConfigError
from schemas.treatments.own import Own
from schemas.types import INT

CODE = """\
import tensorflow as tf

SEEN = 100

def preprocess(inputs, tft):
    fare, hour = inputs["fare"], inputs["hour"]
    return {
        "ratio": tf.cast(fare, tf.float64) / tf.cast(hour, tf.float64),
        "zone": tft.hash_strings(inputs["city"], 7),
        "late": tf.where(hour > 20, SEEN, hour),
    }
"""
INPUTS = {
    "fare": tf.constant([10.0, float("nan"), 3.0, 3.0]),
    "hour": tf.constant([4, 23, 0, INT.missing], tf.int64),
    "city": tf.constant(["a", "", "b", "a"]),
    "tags": tf.ragged.constant([["x"], [], ["y", "x"], [""]]),
}
FEATURES = {"ratio": "number", "zone": 7, "late": 24}


def computed(code=CODE, features=FEATURES, columns=("fare", "hour", "city"), **options):
    written = {"columns": columns, "features": features, **options}
    own = Own.model_validate(written).with_code(code)
    return apply(INPUTS, [Use("own", tuple(columns), own)])


def test_features_are_bounded_and_have_the_declared_types():
    found = computed(name="my")
    assert found["my_ratio"].dtype == tf.float32
    assert found["my_ratio"].numpy().tolist()[:3] == [2.5, 0, 0]  # what is not finite is 0
    assert found["my_late"].numpy().tolist() == [4, 0, 0, 0]  # 100 is beyond the size
    zone = found["my_zone"].numpy()
    assert zone[0] == zone[3]
    assert zone.dtype == np.int64
    names = [
        f.name for f in Own.model_validate({"columns": ["a"], "features": FEATURES}).outputs((), 0)
    ]
    assert names == list(FEATURES)


def test_a_list_may_become_a_number():
    code = "import tensorflow as tf\ndef f(x, tft):\n    return {'n': x['tags'].row_lengths()}\n"
    assert computed(code, {"n": 9}, ("tags",), function="f")["n"].numpy().tolist() == [1, 0, 2, 1]


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ("return 1 / 0", 3, "ZeroDivisionError: division by zero"),
        ("import nothing_here", 3, "No module named 'nothing_here'"),
        ("return inputs['fair']", 3, "KeyError: 'fair'"),
        ("return [inputs['fare']]", None, "preprocess returns list"),
        ("return {}", None, "preprocess returns no 'x'"),
        ("return {'x': inputs['fare'], 'y': 0}", None, "returns 'y', which pipeline.yaml does not"),
        ("return {'x': 1.0}", None, "'x' of preprocess is float"),
        ("return {'x': inputs['fare'][:, None]}", None, "'x' of preprocess has the shape (4, 1)"),
        ("return {'x': inputs['hour']}", None, "is int64, and declared as a number"),
        ("return {'x': inputs['tags']}", None, "is RaggedTensor"),
    ],
)
def test_an_error_names_what_the_function_does(body, line, said):
    code = f"import tensorflow as tf\ndef preprocess(inputs, tft):\n    {body}\n"
    with pytest.raises(ConfigError) as caught:
        computed(code, {"x": "number"}, ("fare", "hour", "tags"))
    assert said in caught.value.what
    assert caught.value.where == "features.py" + (f":{line}" if line else "")


def test_ids_of_another_type_and_other_rows_are_refused():
    code = "def preprocess(inputs, tft):\n    return {'x': inputs['fare']}\n"
    with pytest.raises(ConfigError, match="is float64, and declared as ids below 5"):
        computed(code, {"x": 5}, ("fare",))
    code = "def preprocess(inputs, tft):\n    return {'x': inputs['fare'][:2]}\n"
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"x of features\.py has as many"):
        computed(code, {"x": "number"}, ("fare",))
