"""TensorProtos, well-formed and malformed, as arrays; plain objects replace messages."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.serve.failures import RequestError
from components.serve.grpc_tensors import array_of
from components.serve.signature import Tensor

FLOAT, INT8, STRING, INT64, BOOL = 1, 6, 7, 9, 10


def proto(dtype, shape, *, content=b"", unknown=False, **values):
    dims = [SimpleNamespace(size=size) for size in shape]
    fields = ("float_val", "double_val", "int_val", "string_val", "int64_val", "bool_val")
    return SimpleNamespace(
        dtype=dtype,
        tensor_shape=SimpleNamespace(dim=dims, unknown_rank=unknown),
        tensor_content=content,
        **{field: values.get(field, []) for field in fields},
    )


def read(message, dtype="DT_FLOAT", shape=(-1,), most=100):
    return array_of(message, Tensor("t:0", dtype, shape), "input 'x'", most)


def test_values_and_content_are_the_same_array():
    floats = np.array([1.5, np.nan, -0.0], np.float32)
    listed = read(proto(FLOAT, [3], float_val=floats.tolist()))
    packed = read(proto(FLOAT, [3], content=floats.tobytes()))
    for array in (listed, packed):
        assert array.dtype == np.float32
        assert array.tobytes() == floats.tobytes()
    assert read(proto(INT8, [2, 1], int_val=[-128, 127]), "DT_INT8", (-1, 1)).tolist() == [
        [-128],
        [127],
    ]
    assert read(proto(INT64, [], int64_val=[2**53 + 1]), "DT_INT64", ()) == 2**53 + 1
    assert read(proto(BOOL, [2], content=b"\0\1"), "DT_BOOL").tolist() == [False, True]
    assert read(proto(STRING, [2], string_val=[b"a\0", b""]), "DT_STRING").tolist() == [b"a\0", b""]


@given(st.lists(st.one_of(st.binary(max_size=3), st.just(b"long" * 5_000)), max_size=9))
def test_strings_in_content_are_read_as_tensorflow_packs_them(strings):
    packed = b"".join(_varint(len(string)) for string in strings) + b"".join(strings)
    array = read(proto(STRING, [len(strings)], content=packed), "DT_STRING")
    assert array.tolist() == strings


def _varint(number):
    if number < 0x80:
        return bytes([number])
    return bytes([number & 0x7F | 0x80]) + _varint(number >> 7)


def test_the_last_value_is_repeated_for_missing_ones():
    assert read(proto(FLOAT, [4], float_val=[1.0, 2.0])).tolist() == [1.0, 2.0, 2.0, 2.0]
    assert read(proto(FLOAT, [0])).tolist() == []


@pytest.mark.parametrize(
    ("message", "dtype", "said"),
    [
        (proto(FLOAT, [101], float_val=[1.0]), "DT_FLOAT", "101 rows; at most 100 are taken"),
        (proto(FLOAT, [2**62], float_val=[1.0]), "DT_FLOAT", "shape [4611686018427387904]"),
        (proto(FLOAT, [3]), "DT_FLOAT", "0 values"),
        (proto(FLOAT, [1], float_val=[1.0, 2.0]), "DT_FLOAT", "2 values"),
        (proto(FLOAT, [-1], float_val=[1.0]), "DT_FLOAT", "shape [-1], expected [?]"),
        (proto(FLOAT, [1, 1], float_val=[1.0]), "DT_FLOAT", "shape [1, 1], expected [?]"),
        (proto(FLOAT, [], unknown=True), "DT_FLOAT", "of unknown rank"),
        (proto(FLOAT, [2], content=b"1234567"), "DT_FLOAT", "has 7 bytes, expected 8"),
        (proto(INT64, [1], int64_val=[1]), "DT_FLOAT", "DT_INT64, expected DT_FLOAT"),
        (proto(99, [1]), "DT_FLOAT", "type 99, expected DT_FLOAT"),
        (proto(STRING, [1], content=b"\2x"), "DT_STRING", "does not fit shape"),
        (proto(STRING, [1], content=b"\1xy"), "DT_STRING", "does not fit shape"),
        (proto(STRING, [1], content=b"\x80" * 9), "DT_STRING", "does not fit shape"),
        (proto(STRING, [100], content=b"\0\0"), "DT_STRING", "does not fit shape"),
        (proto(INT8, [1], int_val=[128]), "DT_INT8", "128 is beyond the range"),
        (proto(BOOL, [1], content=b"\2"), "DT_BOOL", "neither 0 nor 1"),
        (proto(19, [1]), "DT_HALF", "requests cannot have DT_HALF"),
    ],
)
def test_what_does_not_fit_is_refused(message, dtype, said):
    with pytest.raises(RequestError) as caught:
        read(message, dtype)
    assert caught.value.message.startswith("input 'x': ")
    assert said in caught.value.message


def test_a_value_is_repeated_only_a_few_times_without_a_limit_on_rows():
    with pytest.raises(RequestError, match="1 values in 'float_val', expected 1000 for shape"):
        read(proto(FLOAT, [1, 1_000], float_val=[1.0]), shape=(-1, -1))


sizes = st.lists(st.sampled_from([0, 1, 2, -1, 2**31, 2**62, 2**63 - 1]), max_size=40)


@given(sizes, st.lists(st.floats(width=32), max_size=3), st.binary(max_size=16))
def test_no_claim_makes_an_array_larger_than_what_was_sent_or_allowed(shape, values, content):
    message = proto(FLOAT, shape, float_val=values, content=content)
    try:
        array = read(message, shape=None)
    except RequestError:
        return
    assert array.size <= max(100, len(values), len(content) // 4)
