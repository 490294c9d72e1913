"""What new data would change in schema.pbtxt, and the text once it is accepted."""

import pyarrow as pa
import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.validate.measured import Measured, of_rows, of_statistics
from components.validate.proposals import changes, new_column, wider_type
from schemas import schema_text
from schemas.columns import read_columns

TEXT = """# Orders.
feature {
  name: "price"  # in euros
  type: FLOAT
  presence { min_fraction: 0.9 min_count: 5 }
  float_domain { min: 0 max: 10 }
}
feature {
  name: "size"
  type: INT
  shape { dim { size: 1 } }
  int_domain { min: 1 max: 3 is_categorical: true }
  unique_constraints { min: 2 max: 3 }
}
feature { name: "country" type: BYTES domain: "places" }
feature {
  name: "kind"
  type: BYTES
  string_domain { value: "a" }
  distribution_constraints { min_domain_mass: 0.75 }
}
string_domain {
  name: "places"
  value: "de"
}
"""
SIZE = """shape { dim { size: 1 } }
  int_domain { min: 1 max: 3 is_categorical: true }
  unique_constraints { min: 2 max: 3 }"""
FITS = {
    "price": Measured(10, 9, 9, 0.0, 10.0),
    "size": Measured(10, 10, 10, 1, 3, {"1": 4, "3": 6}, 2),
    "country": Measured(10, 1, 1, values={"de": 1}, distinct=1),
    "kind": Measured(4, 4, 4, values={"a": 3, "b": 1}, distinct=2),
}


def told(found):
    return [(each.column, each.what, each.written, each.seen) for each in found]


def accepted(found):
    return schema_text.apply(TEXT, [edit for each in found for edit in each.edits])


def test_data_that_the_schema_describes_change_nothing():
    assert changes(TEXT, [FITS, {"price": Measured(0, 0)}], where="") == []


@pytest.mark.parametrize(
    ("column", "measured", "told_of", "old", "new"),
    [
        (
            "price",
            Measured(10, 9, 9, -0.5, 12.1),
            [("price", "min", "0", "-0.5"), ("price", "max", "10", "12.1")],
            "min: 0 max: 10 }",
            "min: -0.5 max: 12.1 }",
        ),
        (
            "price",
            Measured(7, 4, 4, 1.0, 2.0),
            [
                ("price", "presence.min_fraction", "0.9 of rows", "0.571429"),
                ("price", "presence.min_count", "5 rows", "4"),
            ],
            "min_fraction: 0.9 min_count: 5",
            "min_fraction: 0.5714 min_count: 4",
        ),
        (
            "size",
            Measured(10, 5, 5, 1, 4, {"1": 1, "4": 4}, 4),
            [
                ("size", "missing values", "in no row", "in 50.0000% of rows"),
                ("size", "max", "3", "4"),
                ("size", "unique_constraints.max", "3", "4 distinct values"),
            ],
            SIZE,
            SIZE.replace("shape { dim { size: 1 } }", "value_count { min: 1 max: 1 }").replace(
                "max: 3", "max: 4"
            ),
        ),
        (
            "country",
            Measured(10, 9, 9, values={"fr": 5, "de": 3, 'a"\n': 1}),
            [("country", "new values", "1 value", "'fr' 5, 'a\"\\n' 1")],
            '  value: "de"\n',
            '  value: "de"\n  value: "fr"\n  value: "a\\"\\n"\n',
        ),
        (
            "kind",
            Measured(4, 4, 4, values={"a": 2, "b": 2}),
            [("kind", "new values", "1 value in at least 0.75 of the rows", "'b' 3")],
            'value: "a"',
            'value: "a" value: "b"',
        ),
    ],
)
def test_what_data_change_is_accepted_in_its_place(column, measured, told_of, old, new):
    found = changes(TEXT, [FITS, {column: measured}], where="")
    assert told(found) == told_of
    text = accepted(found)
    assert text == TEXT.replace(old, new)
    assert changes(text, [FITS, {column: measured}], where="") == []


def test_a_new_column_is_described_behind_the_others():
    found = new_column(TEXT, "vip", "INT", ("bool_domain {}",), "1")
    text = accepted([found])
    assert told([found]) == [("vip", "new column", "not described", "INT, such as 1")]
    names = [column.name for column in read_columns(text, where="")]
    assert (names[-1], text.startswith(TEXT[: TEXT.index("string_domain {\n  name")])) == (
        "vip",
        True,
    )


def test_fractions_turn_an_integer_into_a_number():
    text = 'feature { name: "n" type: INT int_domain { min: 1 max: 9 } }'
    found = wider_type(text, "n", ["1.5", "2e1"], where="")
    assert found is not None
    assert schema_text.apply(text, found.edits) == text.replace("INT", "FLOAT").replace(
        "int_domain", "float_domain"
    )


def test_texts_among_integers_are_left_to_a_person():
    found = wider_type('feature { name: "n" type: INT }', "n", ["1.5", "many"], where="")
    assert found is not None
    assert (found.edits, found.seen) == ((), "BYTES: 2 rejected, such as '1.5', 'many'")


@pytest.mark.parametrize("name", ["n", "gone"])
def test_a_column_that_is_not_an_integer_has_no_wider_type(name):
    assert wider_type('feature { name: "n" type: FLOAT }', name, ["x"], where="") is None


def test_rows_are_measured():
    rows = pa.table(
        {
            "n": pa.array([1, None, 3], pa.int64()),
            "t": ["b", "a", "b"],
            "list": pa.array([["x"], [], None], pa.list_(pa.string())),
            "none": pa.array([None] * 3, pa.float32()),
        }
    )
    assert of_rows(rows) == {
        "n": Measured(3, 2, 2, 1, 3),
        "t": Measured(3, 3, 3, values={"b": 2, "a": 1}),
        "list": Measured(3, 2, 1, values={"x": 1}),
        "none": Measured(3, 0),
    }


def test_statistics_are_measured():
    dataset = statistics_pb2.DatasetFeatureStatistics(num_examples=4)
    number = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.FLOAT)
    number.path.step.append("n")
    number.num_stats.common_stats.num_non_missing = 3
    number.num_stats.common_stats.tot_num_values = 3
    number.num_stats.min, number.num_stats.max = -1.5, 2.0
    number.num_stats.mean, number.num_stats.std_dev = 0.25, 1.5
    category = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.INT)
    category.path.step.append("c")
    category.string_stats.common_stats.num_non_missing = 4
    category.string_stats.common_stats.tot_num_values = 4
    category.string_stats.unique = 2
    for label, count in (("10", 3), ("9", 1)):
        category.string_stats.rank_histogram.buckets.add(label=label, sample_count=count)
    empty = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.STRING)
    empty.path.step.append("e")
    empty.string_stats.common_stats.num_missing = 4
    assert of_statistics(dataset) == {
        "n": Measured(4, 3, 3, -1.5, 2.0, mean=0.25, stddev=1.5),
        "c": Measured(4, 4, 4, 9, 10, {"10": 3, "9": 1}, 2, mean=9.75, stddev=0.75**0.5 / 2),
        "e": Measured(4, 0),
    }
