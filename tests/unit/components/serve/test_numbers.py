"""Numbers in JSON follow one rule, whichever of the two parsers a body needs."""

import json
import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.serve import json_text, predict, tensors, tf_examples
from components.serve.failures import RequestError
from components.serve.json_text import OutOfRange
from components.serve.signature import ExampleFeature, Signature, Tensor
from schemas.columns import Column

# orjson does not parse NaN, so that the other parser reads the body.
WITHOUT, WITH = "0.5", "NaN"
DTYPES = ("DT_FLOAT", "DT_DOUBLE", "DT_INT64", "DT_UINT64", "DT_BOOL", "DT_STRING")

number_texts = st.from_regex(
    r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?", fullmatch=True
) | st.sampled_from(
    [
        "1e400",
        "-1E+0400",
        "1e39",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "9" * 310,
        "-" + "9" * 5_000,
        "1" + "0" * 400 + ".5",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551617",
        "-9223372036854775808",
        "-9223372036854775809",
        "9007199254740993",
        "25000000",
        "-0",
        "-0.0",
        "1e-400",
    ]
)


def read(text, beside):
    return json_text.loads_object(f'{{"a": {text}, "b": [{beside}]}}'.encode())["a"]


def outcome(ask):
    """Return the result of a request: the bits of its arrays, or the reason for refusal."""
    try:
        arrays = ask()
    except RequestError as error:
        return error.status, error.message
    return {
        name: array.tolist() if array.dtype == object else (array.dtype.str, array.tobytes())
        for name, array in arrays.items()
    }


def predicted(body, dtype):
    signature = Signature(
        {"x": Tensor("x:0", dtype, (-1,)), "y": Tensor("y:0", "DT_FLOAT", (-1,))}, {}, ""
    )
    request = predict.parse(json_text.loads_object(body.encode()), signature)
    arrays = predict.joined([request.inputs])
    return {"x": arrays["x"]}


def as_examples(body, dtype):
    signature = Signature({"e": Tensor("e:0", "DT_STRING", (-1,))}, {}, "")
    if dtype is not None:
        signature = Signature(
            signature.inputs,
            {},
            "",
            features={"x": ExampleFeature(dtype), "y": ExampleFeature("DT_FLOAT")},
        )
    return tf_examples.parse(json_text.loads_object(body.encode()), signature)


@given(number_texts)
@example("1e0400")
def test_both_parsers_read_the_same_number(text):
    value, other = read(text, WITHOUT), read(text, WITH)
    assert type(value) is type(other)
    assert repr(value) == repr(other)


@given(number_texts)
def test_a_number_is_the_nearest_float_or_the_whole_number_or_none(text):
    value = read(text, WITH)
    if isinstance(value, OutOfRange):
        assert math.isinf(float(text))
        assert repr(value) == text
    elif isinstance(value, int):
        assert text == "-0" or str(value) == text
        assert -(2**63) <= value < 2**64
    else:
        assert value == float(text)


@given(number_texts, st.sampled_from(DTYPES), st.booleans())
def test_a_request_has_one_outcome_whatever_else_is_in_it(text, dtype, by_rows):
    def body(beside):
        if by_rows:
            return f'{{"instances": [{{"x": 1, "y": {beside}}}, {{"x": {text}, "y": 1}}]}}'
        return f'{{"inputs": {{"x": [1, {text}], "y": [{beside}, 1]}}}}'

    assert outcome(lambda: predicted(body(WITHOUT), dtype)) == outcome(
        lambda: predicted(body(WITH), dtype)
    )


@given(number_texts, st.sampled_from(["DT_FLOAT", "DT_INT64", "DT_STRING", None]))
def test_an_example_has_one_outcome_whatever_else_is_in_the_body(text, dtype):
    def body(beside):
        return f'{{"examples": [{{"x": {text}}}], "other": {beside}}}'

    assert outcome(lambda: as_examples(body(WITHOUT), dtype)) == outcome(
        lambda: as_examples(body(WITH), dtype)
    )


@given(st.integers(-(2**63), 2**64 - 1))
def test_a_float_column_takes_a_whole_number_with_a_point_or_without(number):
    def taken(text):
        return predicted(f'{{"inputs": {{"x": [{text}], "y": [1]}}}}', "DT_FLOAT")["x"].tobytes()

    assert taken(str(number)) == taken(json.dumps(float(number))) == np.float32(number).tobytes()


@pytest.mark.parametrize("beside", [WITHOUT, WITH])
@pytest.mark.parametrize(
    ("text", "dtype", "message"),
    [
        ("1e400", "DT_FLOAT", "instances[1], input 'x': 1e400 is beyond the range of DT_FLOAT"),
        ("-1e400", "DT_DOUBLE", "instances[1], input 'x': -1e400 is beyond the range of DT_DOUBLE"),
        ("1e39", "DT_FLOAT", "instances[1], input 'x': 1e+39 is beyond the range of DT_FLOAT"),
        ("9" * 310, "DT_FLOAT", "99… is beyond the range of DT_FLOAT"),
        ("1e400", "DT_STRING", "instances[1], input 'x': 1e400, expected a string"),
        ("9007199254740993", "DT_DOUBLE", "9007199254740993 would lose digits as DT_DOUBLE"),
    ],
)
def test_a_number_that_no_input_holds_is_refused_by_row_and_name(text, dtype, message, beside):
    first = {"DT_STRING": '"a"'}.get(dtype, "1")
    body = f'{{"instances": [{{"x": {first}, "y": {beside}}}, {{"x": {text}, "y": 1}}]}}'
    with pytest.raises(RequestError) as caught:
        predicted(body, dtype)
    assert message in caught.value.message


@pytest.mark.parametrize("beside", [WITHOUT, WITH])
def test_whole_numbers_of_a_program_that_writes_no_point_are_taken(beside):
    body = f'{{"inputs": {{"x": [25000000, 18446744073709551617], "y": [{beside}, 1]}}}}'
    assert predicted(body, "DT_FLOAT")["x"].tolist() == [25_000_000.0, 2.0**64]
    assert predicted(body.replace("18446744073709551617", "9007199254740992"), "DT_DOUBLE")[
        "x"
    ].tolist() == [25_000_000.0, 2.0**53]


def test_infinity_is_a_number_and_what_is_too_large_is_not():
    assert read("Infinity", "1") == math.inf
    assert read("-Infinity", "1e400") == -math.inf
    assert isinstance(read("1e400", "Infinity"), OutOfRange)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, b"0.1"), (12, b"12"), ("0.1", b"0.1"), (2**60, b"1152921504606846976"), ("", b"")],
)
def test_a_number_for_a_column_of_numbers_in_text_becomes_text(value, text):
    column = Column("x", "FLOAT_TEXT", serving=True)
    by_columns = tensors.array_of([value], Tensor("x:0", "DT_STRING", (-1,), column), "x")
    assert by_columns.tolist() == [text]
    known = ExampleFeature("DT_STRING", column=column)
    signature = Signature({"i": Tensor("i:0", "DT_STRING", (-1,))}, {}, "", features={"x": known})
    (array,) = tf_examples.parse({"examples": [{"x": value}]}, signature).values()
    assert text in array[0]


@pytest.mark.parametrize("value", [True, None, [0.1]])
def test_nothing_else_becomes_text(value):
    column = Column("x", "FLOAT_TEXT", serving=True)
    with pytest.raises(RequestError):
        tensors.array_of([value], Tensor("x:0", "DT_STRING", (-1,), column), "x")
