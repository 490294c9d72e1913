"""The schema's requirements for values, column by column."""

from schemas.columns import parse_schema
from schemas.expectations import Expectation, Expectations, expectations_of

TEXT = """
feature { name: "all" type: INT presence { min_fraction: 1.0 min_count: 1 } int_domain { min: -3 } }
feature { name: "some" type: FLOAT presence { min_fraction: 0.99 min_count: 1 } }
feature { name: "once" type: FLOAT presence { min_count: 1 } float_domain { min: 0.5 max: 2 } }
feature { name: "shared" type: BYTES domain: "colours" annotation { comment: "Its colour." } }
feature { name: "own" type: BYTES string_domain { value: "x" } }
feature { name: "free" type: BYTES }
feature { name: "shaped" type: FLOAT shape { dim { size: 1 } } }
feature { name: "truth" type: INT bool_domain { } }
feature { name: "answer" type: BYTES bool_domain { true_value: "yes" false_value: "no" } }
string_domain { name: "colours" value: "red" value: "green" }
"""


def test_presence_and_domains_are_read_as_written():
    found = expectations_of(parse_schema(TEXT, where="schema.pbtxt"))
    assert found.columns == (
        Expectation(name="all", required=True, minimum=-3),
        Expectation(name="some"),
        Expectation(name="once", minimum=0.5, maximum=2),
        Expectation(name="shared", values=("red", "green"), description="Its colour."),
        Expectation(name="own", values=("x",)),
        Expectation(name="free"),
        Expectation(name="shaped", required=True),
        Expectation(name="truth", minimum=0, maximum=1),
        Expectation(name="answer", values=("no", "yes")),
    )
    assert Expectations.model_validate_json(found.model_dump_json()) == found
