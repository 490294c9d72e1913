"""What an export takes, and by which names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.export.signatures import argument_names, evaluation_columns, serving_columns
from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.layout import Layout
from schemas.tasks.binary import Binary

FARE = Column("fare", "FLOAT", True)
MILES = Column("miles", "FLOAT", True)
COMPANY = Column("company", "BYTES", True)
TIPS = Column("tips", "FLOAT", False)
COLUMNS = (TIPS, MILES, COMPANY, FARE)


def layout_of(*columns):
    """A layout with one feature of each of these groups of columns."""
    features = [
        {"name": "_x_".join(names), "columns": names, "treatment": "t", "role": "dense"}
        for names in columns
    ]
    return Layout.model_validate({"features": features, "label": "big_tip"})


def label_of(column, of):
    exceeds = {"column": column, "fraction": 0.2, "of": of}
    return Binary.model_validate({"name": "big_tip", "exceeds": exceeds})


def test_a_request_contains_each_column_that_a_feature_is_made_from_once():
    layout = layout_of(("fare",), ("company", "fare"), ("fare",))

    assert serving_columns(COLUMNS, layout) == (FARE, COMPANY)


@pytest.mark.parametrize("column", ["tips", "nowhere"])
def test_a_feature_of_a_column_that_requests_lack_is_refused_by_name(column):
    with pytest.raises(ConfigError, match=f"column '{column}', which no request carries"):
        serving_columns(COLUMNS, layout_of(("fare",), (column,)))


def test_the_label_adds_only_the_columns_that_no_feature_has():
    layout = layout_of(("company",), ("fare",))

    assert evaluation_columns(COLUMNS, layout, label_of("tips", "fare")) == (COMPANY, FARE, TIPS)
    assert evaluation_columns(COLUMNS, layout, label_of("fare", "fare")) == (COMPANY, FARE)
    assert evaluation_columns(COLUMNS, layout, label_of("tips", "miles")) == (
        *(COMPANY, FARE),
        *(TIPS, MILES),
    )


def test_names_that_python_takes_are_kept():
    assert argument_names(["age", "trip_miles"]) == {"age": "age", "trip_miles": "trip_miles"}


@pytest.mark.parametrize(
    ("columns", "arguments"),
    [
        (["hours-per-week"], ["hours_per_week"]),
        (["Fare ($)"], ["Fare____"]),
        (["1st", "_x", ""], ["arg_1st", "arg__x", "arg_"]),
        (["a b", "a_b", "a-b"], ["a_b", "a_b_2", "a_b_3"]),
        (["a_2", "a", "a "], ["a_2", "a", "a_"]),
        (["self", "Self"], ["self_2", "Self_3"]),
        (["Name", "name", "NAME", "name_2"], ["Name", "name_2", "NAME_3", "name_2_2"]),
    ],
)
def test_names_that_conflict_are_changed(columns, arguments):
    assert argument_names(columns) == dict(zip(columns, arguments, strict=True))


@given(st.lists(st.text(max_size=8), unique=True))
def test_any_columns_get_arguments_of_their_own(columns):
    arguments = argument_names(columns)

    assert list(arguments) == columns
    assert len({argument.lower() for argument in arguments.values()}) == len(columns)
    for argument in arguments.values():
        assert argument.isascii()
        assert argument.isidentifier()
        assert argument.lower() != "self"
