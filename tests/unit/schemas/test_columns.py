"""schema.pbtxt as columns: kinds, environments, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import schema_pb2

from schemas.columns import Column, dumps, find, loads, parse_schema, read_columns
from schemas.errors import ConfigError


def columns(text):
    return read_columns(text, where="s")


def test_columns_keep_the_schemas_order_and_kinds():
    text = 'feature{name:"b" type:INT} feature{name:"a" type:BYTES} feature{name:"é" type:FLOAT}'
    assert columns(text) == (
        Column("b", "INT", True),
        Column("a", "BYTES", True),
        Column("é", "FLOAT", True),
    )


YES_NO = 'bool_domain { true_value: "yes" false_value: "no" }'


@pytest.mark.parametrize(
    ("written", "kind", "form", "examples"),
    [
        ("type: INT bool_domain {}", "BOOL", (), "INT"),
        (f"type: INT {YES_NO}", "BOOL_TEXT", ("yes", "no"), "BYTES"),
        (f"type: BYTES {YES_NO}", "BOOL_TEXT", ("yes", "no"), "BYTES"),
        (
            "type: INT time_domain { integer_format: UNIX_DAYS }",
            "TIME",
            ("UNIX_DAYS",),
            "INT",
        ),
        ('type: BYTES time_domain { string_format: "%Y" }', "TIME_TEXT", ("%Y",), "INT"),
        ("type: BYTES float_domain {}", "FLOAT_TEXT", (), "FLOAT"),
        # what does not fit is as without a domain, until the rules refuse it
        ('type: INT time_domain { string_format: "%Y" }', "INT", (), "INT"),
        ("type: FLOAT bool_domain {}", "FLOAT", (), "FLOAT"),
    ],
)
def test_a_domain_says_how_a_column_is_written(written, kind, form, examples):
    text = f'feature {{ name: "x" {written} }}'
    assert columns(text) == (Column("x", kind, True, form),)
    (feature,) = parse_schema(text, where="s").feature
    assert feature.type == schema_pb2.FeatureType.Value(examples)
    assert feature.HasField("time_domain") == (kind == "INT")


def test_a_boolean_of_numbers_is_a_category_of_0_and_1_to_tfdv():
    (feature,) = parse_schema('feature { name: "x" type: INT bool_domain {} }', where="s").feature
    domain = feature.int_domain
    assert (domain.min, domain.max, domain.is_categorical) == (0, 1, True)


def test_false_and_true_of_a_column():
    assert Column("x", "BOOL", True).booleans == (0, 1)
    assert Column("x", "BOOL_TEXT", True, ("yes", "no")).booleans == ("no", "yes")


@pytest.mark.parametrize(
    ("default", "own", "serving"),
    [
        ("", "", True),
        ("SERVING", "", True),
        ("TRAINING", "", False),
        ("TRAINING", 'in_environment: "SERVING"', True),
        ("SERVING", 'not_in_environment: "SERVING"', False),
        ("", 'not_in_environment: "SERVING"', False),
        ("SERVING", 'not_in_environment: "TRAINING"', True),
        ("TRAINING", 'in_environment: "SERVING" not_in_environment: "SERVING"', False),
    ],
)
def test_whether_a_request_carries_a_column(default, own, serving):
    text = f'default_environment: "{default}" ' if default else ""
    text += f'feature {{ name: "x" type: INT {own} }}'
    assert columns(text) == (Column("x", "INT", serving),)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('feature {\n  name: "x"\n  typ: INT\n}', "3:3"),
        ('feature {\n  name: "x"\n  type: INTEGER\n}', "3:9"),
        ('feature {\n  name: "x"\n', "2:9"),
    ],
)
def test_text_that_does_not_parse_names_its_line(text, place):
    with pytest.raises(ConfigError) as caught:
        parse_schema(text, where="here/schema.pbtxt")
    assert f": {place} : " in caught.value.what
    assert caught.value.where == "here/schema.pbtxt"


def test_a_column_described_twice_is_refused():
    with pytest.raises(ConfigError, match="column 'x' is described twice"):
        columns('feature { name: "x" type: INT } feature { name: "x" type: FLOAT }')


@pytest.mark.parametrize(("given_type", "said"), [("type: STRUCT", "STRUCT"), ("", "TYPE_UNKNOWN")])
def test_a_type_that_examples_cannot_hold_is_refused(given_type, said):
    with pytest.raises(ConfigError, match=f"column 'x' has type {said}") as caught:
        columns(f'feature {{ name: "x" {given_type} }}')
    assert caught.value.expected == "INT, FLOAT or BYTES"


def test_find_answers_with_the_nearest_column():
    known = (Column("fare", "FLOAT", True), Column("tips", "FLOAT", False))
    assert find(known, "tips", where="w") is known[1]
    with pytest.raises(ConfigError, match=r"no column 'fair'.*; did you mean 'fare'") as caught:
        find(known, "fair", where="w")
    assert caught.value.where == "w"
    with pytest.raises(ConfigError, match="one of: fare, tips"):
        find(known, "zzz", where="w")


@given(
    st.lists(
        st.builds(Column, st.text(), st.sampled_from(["INT", "FLOAT", "BYTES"]), st.booleans())
    )
)
def test_columns_travel_as_json(some):
    assert loads(dumps(some)) == tuple(some)
