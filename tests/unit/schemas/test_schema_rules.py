"""Fields of schema.pbtxt without an effect are refused with line and remedy."""

import pytest

from schemas import catalog
from schemas.schema_rules import check_schema
from tests.unit.schemas.conftest import refusal

QUANTILES = "use jensen_shannon_divergence { threshold: 0.1 source { type: QUANTILES } }"

DIVERGENCE = "jensen_shannon_divergence { threshold: 0.1"


def problem(folder, type_, body, *, name="x", more=""):
    """Return the error for another column, which is in line 7."""
    folder.schema.write_text(
        folder.schema.read_text() + f'feature {{ name: "{name}" type: {type_}\n{body}\n}}\n{more}'
    )
    error = refusal(folder)
    assert error.where == str(folder.schema)
    assert error.exit_code == 2
    (line,) = error.what.splitlines()
    return line


@pytest.mark.parametrize(
    ("type_", "body", "said"),
    [
        ("INT", "drift_comparator { infinity_norm { threshold: 0.1 } }", "always 0 for this INT"),
        ("INT", "drift_comparator { infinity_norm { threshold: 0.1 } }", "is_categorical: true"),
        ("FLOAT", "drift_comparator { infinity_norm { threshold: 0.1 } }", QUANTILES),
        (
            "FLOAT",
            "drift_comparator { normalized_abs_difference { threshold: 0.1 } }",
            "normalized_abs_difference compares categories",
        ),
        ("BYTES", "drift_comparator { infinity_norm { } }", "infinity_norm is empty"),
        ("BYTES", "drift_comparator { }", "drift_comparator is empty"),
        ("BYTES", "drift_comparator { infinity_norm { threshold: 1 } }", "its threshold is 1"),
        ("BYTES", "drift_comparator { infinity_norm { threshold: nan } }", "its threshold is nan"),
        ("BYTES", "drift_comparator { infinity_norm { threshold: -1 } }", "its threshold is -1"),
        (
            "FLOAT",
            "drift_comparator { jensen_shannon_divergence { source { type: QUANTILES } } }",
            "its threshold is missing",
        ),
        (
            "BYTES",
            f"drift_comparator {{ {DIVERGENCE} source {{ type: QUANTILES }} }} }}",
            "not put into buckets; remove source",
        ),
        (
            "FLOAT",
            f"drift_comparator {{ {DIVERGENCE} source {{ }} }} }}",
            "source is empty",
        ),
        (
            "FLOAT",
            f"drift_comparator {{ {DIVERGENCE} source {{ type: DEFAULT }} }} }}",
            "the type DEFAULT has no meaning",
        ),
        ("BYTES", "skew_comparator { infinity_norm { threshold: 0.1 } }", "does not have this"),
        ("BYTES", "int_domain { min: 0 }", "int_domain does not fit the type BYTES; it is for INT"),
        ("INT", 'string_domain { value: "1" }', "string_domain does not fit the type INT"),
        ("INT", "float_domain { min: 0 }", "float_domain does not fit the type INT"),
        ("FLOAT", "int_domain { min: 0 }", "int_domain does not fit the type FLOAT"),
        ("FLOAT", "bool_domain { }", "bool_domain does not fit the type FLOAT"),
        ("INT", 'bool_domain { true_value: "1" }', "only one of the two texts"),
        ("BYTES", "bool_domain { }", "write true_value and false_value"),
        ("BYTES", 'bool_domain { true_value: "y" }', "write true_value and false_value"),
        ("BYTES", 'bool_domain { true_value: "y" false_value: "y" }', "are equal"),
        ("INT", "time_domain { integer_format: UNIX_NANOSECONDS }", "use one of UNIX_DAYS"),
        ("INT", "time_domain { integer_format: FORMAT_UNKNOWN }", "is not a unit of times"),
        ("INT", "time_domain { }", "time_domain is empty"),
        ("INT", 'time_domain { string_format: "%Y" }', "write time_domain { integer_format:"),
        ("BYTES", "time_domain { integer_format: UNIX_DAYS }", 'string_format: "%Y-%m-%d'),
        ("BYTES", 'time_domain { string_format: "%H:%M" }', "has no year, which is %Y or %y"),
        ("BYTES", 'time_domain { string_format: "%Y %A" }', "directive '%A'; the supported ones"),
        ("FLOAT", "time_domain { integer_format: UNIX_DAYS }", "does not fit the type FLOAT"),
        ("INT", "time_of_day_domain { }", "make it part of a time with a date"),
        (
            "BYTES",
            'time_domain { string_format: "%Y" } unique_constraints { min: 1 max: 3 }',
            "are not counted",
        ),
        ("BYTES", "string_domain { }", "string_domain is empty"),
        ("INT", "int_domain { }", "int_domain is empty"),
        ("INT", "int_domain { min: 2 max: 1 }", "min 2 is above max 1"),
        ("FLOAT", "float_domain { min: nan }", "a bound is not a finite number"),
        ("FLOAT", "float_domain { max: inf }", "a bound is not a finite number"),
        ("FLOAT", "float_domain { disallow_nan: true }", "presence { min_fraction: 1 }"),
        ("FLOAT", "float_domain { disallow_inf: true }", "always rejected"),
        ("BYTES", "lifecycle_stage: DEPRECATED", "lifecycle_stage has no effect here"),
        ("BYTES", "lifecycle_stage: PLANNED", "does not describe are not read"),
        ("BYTES", "deprecated: true", "deprecated has no effect here"),
        ("BYTES", "url_domain { }", "nothing checks this kind"),
        ("BYTES", "group_presence { required: true }", "use presence"),
        ("BYTES", "presence { }", "presence is empty"),
        ("BYTES", "presence { min_fraction: 1.5 }", "min_fraction is 1.5"),
        ("BYTES", "presence { min_count: -1 }", "min_count is -1"),
        ("BYTES", "value_count { min: 1 }", "max is missing; write max: 1 for one value a row"),
        ("BYTES", "value_count { max: 0 }", "max is 0; write max: 1 for one value a row"),
        ("BYTES", "value_count { max: 1001 }", "or up to 1,000 for a list"),
        ("BYTES", "value_count { min: 3 max: 2 }", "min 3 and max 2 are not a range"),
        ("BYTES", "value_count { min: -1 max: 2 }", "min -1 and max 2 are not a range"),
        ("BYTES", "value_count { max: 2 } float_domain {}", "write type: FLOAT for a list"),
        ("BYTES", "shape { dim { size: 2 } }", "write shape { dim { size: 1 } }, or value_count"),
        ("FLOAT", "unique_constraints { min: 1 max: 3 }", "of a FLOAT column are not counted"),
        ("INT", "unique_constraints { min: 1 max: 3 }", "add int_domain { is_categorical: true }"),
        ("BYTES", "unique_constraints { min: 1 }", "needs min and max"),
        ("BYTES", "unique_constraints { min: 3 max: 1 }", "min 3 and max 1 are not a range"),
        ("BYTES", "distribution_constraints { min_domain_mass: 0.5 }", "needs a list of values"),
        (
            "BYTES",
            'string_domain { value: "a" } distribution_constraints { min_domain_mass: 2 }',
            "min_domain_mass is 2",
        ),
        (
            "BYTES",
            'not_in_environment: "SERVNG"',
            "no environment 'SERVNG'; did you mean 'SERVING'?",
        ),
        ("BYTES", 'in_environment: "serving"', "no environment 'serving'; did you mean 'SERVING'?"),
        (
            "BYTES",
            'in_environment: "SERVING" not_in_environment: "SERVING"',
            "both in and not in the environment SERVING",
        ),
    ],
)
def test_a_field_that_cannot_do_its_work(folder, type_, body, said):
    line = problem(folder, type_, body)
    assert line.startswith("schema.pbtxt:8: column 'x': ")
    assert said in line


def test_a_column_that_is_not_read_for_training(folder):
    line = problem(folder, "BYTES", 'not_in_environment: "TRAINING"')
    assert line.startswith("schema.pbtxt:7: column 'x': it is not in the environment TRAINING")


def test_a_column_without_a_name(folder):
    assert problem(folder, "BYTES", "", name="").startswith("schema.pbtxt:7: column '': ")


def test_a_domain_that_is_not_there_is_named_with_the_nearest(folder):
    more = 'string_domain { name: "colours" value: "red" }\nfeature { name: "y" type: BYTES\n'
    line = problem(folder, "BYTES", 'domain: "colors"', more=more + 'domain: "colours" }')
    assert line.startswith(
        "schema.pbtxt:8: column 'x': there is no string_domain 'colors'; did you"
    )
    assert "did you mean 'colours'?" in line


def test_without_any_domain_the_missing_one_is_named(folder):
    line = problem(folder, "BYTES", 'domain: "nosuch"')
    assert "there is no string_domain 'nosuch'; write string_domain { name: \"nosuch\"" in line


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('string_domain { name: "d" value: "b" }', "there are two domains 'd'"),
        ('string_domain { name: "e" value: "b" }', "no column has the domain 'e'"),
        ('int_domain { name: "e" min: 0 }', "int_domain has no effect here; write int_domain"),
        ("represent_variable_length_as_ragged: true", "has no effect here"),
        ("dataset_constraints { max_examples_count: 5 }", "max_examples_count has no effect here"),
        ('annotation { comment: "c" }', "annotation has no effect here"),
        ('default_environment: "TRAINNING"', "did you mean 'TRAINING'?"),
    ],
)
def test_what_is_wrong_with_the_schema_itself(folder, more, said):
    domain = 'string_domain { name: "d" value: "a" }\n'
    line = problem(folder, "BYTES", 'domain: "d"', more=domain + more)
    assert line.startswith("schema.pbtxt:11: ")
    assert said in line


def test_all_errors_are_reported_in_the_order_of_the_lines(folder):
    folder.change_schema('"fare" type: FLOAT', '"fare" type: FLOAT url_domain {}')
    folder.change_schema('"hour" type: INT', '"hour" type: INT bool_domain { true_value: "x" }')
    folder.change_schema('"payment" type: BYTES', '"payment" type: BYTES domain: "d"')
    lines = refusal(folder).what.splitlines()
    assert [line.split(" ")[0] for line in lines] == [f"schema.pbtxt:{n}:" for n in (3, 4, 5)]


def test_many_problems_are_cut_short(folder):
    columns = "".join(
        f'feature {{ name: "c{n}" type: BYTES url_domain {{}} }}\n' for n in range(25)
    )
    folder.schema.write_text(folder.schema.read_text() + columns)
    lines = refusal(folder).what.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 5 more"


@pytest.mark.parametrize(
    "body",
    [
        "type: BYTES skew_comparator { infinity_norm { threshold: 0.1 } }",
        'type: BYTES in_environment: "SERVING"',
    ],
)
def test_a_skew_comparator_of_a_feature_is_accepted(folder, body):
    folder.change_schema('name: "payment" type: BYTES', f'name: "payment" {body}')
    catalog.load(str(folder))


def test_the_shipped_schema_is_accepted():
    taxi = catalog.load("taxi")
    check_schema(taxi.schema_text, where="schema.pbtxt", compared=taxi.spec.feature_columns)


def test_messages_that_nest_without_end_are_refused_with_their_line(folder):
    deep = "feature {\n" + "struct_domain { feature {\n" * 3000
    folder.schema.write_text(deep + "}" * 6001)
    error = refusal(folder)
    assert error.what == "schema.pbtxt nests messages 6,001 levels deep"
    assert error.where == f"{folder.schema}:3001"


def test_a_misspelt_field_is_answered_with_the_nearest(folder):
    folder.change_schema('"fare" type: FLOAT', '"fare" type: FLOAT presense { min_fraction: 1 }')
    assert "3:36" in refusal(folder).what
    assert "did you mean 'presence'?" in refusal(folder).what
