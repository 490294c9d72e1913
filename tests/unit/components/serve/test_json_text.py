"""JSON in and out: anything else is refused, and nothing else fails."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.serve import json_text
from components.serve.failures import RequestError


def test_nan_and_infinity_are_numbers():
    body = b'{"a": [NaN, Infinity, -Infinity, 1]}'
    nan, *rest = json_text.loads_object(body)["a"]
    assert math.isnan(nan)
    assert rest == [math.inf, -math.inf, 1]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "empty"),
        (b"[]", "a list; a JSON object was expected"),
        (b"null", "null"),
        (b"{", "JSON parse error"),
        (b'{"a": 1,}', "JSON parse error"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_body_that_is_not_an_object_is_refused(body, message):
    with pytest.raises(RequestError, match=message) as caught:
        json_text.loads_object(body)
    assert caught.value.status == 400


@given(st.binary() | st.text(alphabet='{}[]":,0N\\au-e.').map(str.encode))
def test_any_bytes_are_an_object_or_refused(body):
    with contextlib.suppress(RequestError):
        assert isinstance(json_text.loads_object(body), dict)


def test_an_error_quotes_what_no_text_can_hold():
    assert json.loads(json_text.error("x \ud800")) == {"error": "x \\ud800"}
