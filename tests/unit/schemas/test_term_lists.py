"""Terms that a person gives a vocabulary: which are read, and what is refused."""

import pydantic
import pytest

from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.term_lists import read_terms
from schemas.treatments.vocabulary import Vocabulary


def vocabulary(terms, folder=None, **options):
    return Vocabulary.model_validate({"terms": terms, **options}, context={"folder": folder})


def test_a_file_has_a_term_a_line(tmp_path):
    path = tmp_path / "terms.txt"
    path.write_bytes("café\r\n two words \n\n#1\n".encode())
    assert read_terms(path) == ("café", " two words ", "#1")
    options = vocabulary("terms.txt", tmp_path)
    assert options.given == ("café", " two words ", "#1")
    assert Vocabulary.model_validate_json(options.model_dump_json()) == options


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [("a\nb\na\n", ":3", "'a' is listed twice, first on line 1"), ("\n", "", "has no terms")],
)
def test_a_file_that_is_wrong_is_named_with_its_line(tmp_path, text, line, what):
    path = tmp_path / "terms.txt"
    path.write_text(text)
    with pytest.raises(ConfigError, match=what) as caught:
        read_terms(path)
    assert caught.value.where == f"{path}{line}"


@pytest.mark.parametrize(
    ("terms", "options", "what"),
    [
        ("none.txt", {}, "there is no file"),
        (["a", "a"], {}, "'a' is listed twice"),
        (["a", ""], {}, "it is empty or has a line break"),
        (["a\nb"], {}, "it is empty or has a line break"),
        (["a"], {"top_k": 5}, "remove top_k or terms"),
        (["a"], {"min_count": 2}, "remove min_count or terms"),
        (["a"], {"normalize": ["lower"]}, "remove normalize or terms"),
    ],
)
def test_terms_that_cannot_be_known_are_refused(tmp_path, terms, options, what):
    with pytest.raises(pydantic.ValidationError, match=what):
        vocabulary(terms, tmp_path, **options)


def test_terms_are_values_of_the_column():
    vocabulary(["0", "-7"]).check(Column("n", "INT", True), where="here")
    for name, kind, term in (("n", "INT", "07"), ("n", "INT", "x"), ("x", "FLOAT", "1.5")):
        with pytest.raises(ConfigError, match=f"the term '{term}' is not a value of '{name}'"):
            vocabulary([term]).check(Column(name, kind, True), where="here")
