"""The text of errors."""

import pytest

from schemas.errors import ConfigError, DataError, ModelError, SkewlessError, did_you_mean


def test_an_error_says_what_where_what_was_expected_and_what_to_do():
    error = ConfigError("x is 3", where="a.yaml:1", expected="2", remedy="write 2")
    assert str(error) == ("x is 3\n  where:     a.yaml:1\n  expected:  2\n  to do:     write 2")


def test_what_is_not_known_is_left_out():
    assert str(DataError("x is 3", remedy="go")) == "x is 3\n  to do:     go"
    assert str(DataError("x is 3")) == "x is 3"


def test_each_kind_of_failure_has_its_exit_code():
    codes = {kind: kind.exit_code for kind in (SkewlessError, ConfigError, DataError, ModelError)}
    assert codes == {SkewlessError: 1, ConfigError: 2, DataError: 3, ModelError: 4}


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("fair", ["tips", "fare"], "did you mean 'fare'?"),
        ("zzz", ["tips", "fare"], "one of: fare, tips"),
        ("zzz", [], "one of: (none)"),
        ("", ["a"], "one of: a"),
        ("fares" * 1_000_000, ["tips", "fare"], "one of: fare, tips"),  # in no time
    ],
)
def test_the_nearest_word(word, known, said):
    assert did_you_mean(word, known) == said
