"""Tensors of gRPC are written and read as TensorFlow's own functions do."""

import numpy as np
import pytest

from components.examples import objects
from components.parity.processes import NoAnswerError

pytestmark = pytest.mark.component

ARRAYS = [
    np.array([1.5, np.nan, -np.inf, 1e-45], np.float32),
    np.array([[2.0**53, -0.0], [np.nan, 5e-324]]),
    np.array([-(2**63), 2**63 - 1, 0]),
    np.array([True, False]),
    objects([b"", b"\x00", b"\xff" * 300, "日本".encode()]),
]
CASES = [array[:rows] for array in ARRAYS for rows in (0, 1, 4)]


@pytest.mark.parametrize("array", CASES, ids=lambda array: f"{array.dtype}{array.shape}")
def test_a_tensor_is_as_tensorflow_writes_and_reads_it(array):
    import tensorflow as tf

    from components.parity.grpc_client import array_of, fill_tensor

    theirs, ours = tf.make_tensor_proto(array, shape=array.shape), tf.make_tensor_proto(0)
    ours.Clear()
    fill_tensor(ours, array)
    assert ours == theirs
    for proto in (ours, theirs):
        back = array_of(proto)
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(back, tf.make_ndarray(theirs))


def test_an_answer_with_too_few_values_or_of_another_type_is_no_answer():
    import tensorflow as tf

    from components.parity.grpc_client import array_of

    cut = tf.make_tensor_proto([b"a", b"b"])
    del cut.string_val[1:]
    with pytest.raises(NoAnswerError, match=r"1 values in a tensor of shape \[2\]"):
        array_of(cut)
    with pytest.raises(NoAnswerError, match="type 18"):
        array_of(tf.make_tensor_proto([1j], tf.complex128))
