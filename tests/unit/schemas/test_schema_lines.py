from hypothesis import given
from hypothesis import strategies as st

from schemas.schema_lines import deepest, line_of, lines_by_path, lines_of, place

TEXT = """# a comment { with a brace
default_environment: "TRAINING"
feature {
  name: "fare"  # the price }
  type: FLOAT
  presence { min_fraction: 1.0 }
  float_domain {
    min: 0
  }
}
feature { name: "fare_text" type: BYTES domain: "fare" }
string_domain <
  name: 'fare'
  value: "} feature {"
>
"""


def test_lines_of_fields_and_blocks() -> None:
    lines = lines_of(TEXT)
    assert lines["feature", "fare", ""] == 3
    assert lines["feature", "fare", "type"] == 5
    assert lines["feature", "fare", "presence"] == 6
    assert lines["feature", "fare", "float_domain"] == 7
    assert lines["feature", "fare_text", "domain"] == 11
    assert lines["string_domain", "fare", ""] == 12
    assert lines["string_domain", "fare", "value"] == 14


def test_nested_fields_are_not_the_blocks_own() -> None:
    assert ("feature", "fare", "min") not in lines_of(TEXT)


def test_place_falls_back_to_the_block_and_then_to_the_file() -> None:
    lines = lines_of(TEXT)
    assert place(lines, "feature", "fare", "presence", "s.pbtxt") == "s.pbtxt:6"
    assert place(lines, "feature", "fare", "drift_comparator", "s.pbtxt") == "s.pbtxt:3"
    assert place(lines, "feature", "tips", "presence", "s.pbtxt") == "s.pbtxt"


@given(st.text(alphabet="ab {}<>\"'#\n:\\", max_size=60))
def test_any_text_is_read_without_failing(text: str) -> None:
    lines = [*lines_of(text).values(), *lines_by_path(text).values()]
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)
    assert deepest(text)[0] <= text.count("{") + text.count("<")


def test_lines_by_path_count_what_occurs_again() -> None:
    lines = lines_by_path(TEXT)
    assert lines[("feature", 0), ("float_domain", 0), ("min", 0)] == 8
    assert lines[("feature", 1), ("domain", 0)] == 11
    listed = lines_by_path('feature: [{\nname: "a" },\n{ name: "b"\ntype: INT }]\nx: [1, 2] y: 1e5')
    assert listed[("feature", 1),] == 3
    assert listed[("feature", 1), ("type", 0)] == 4
    assert listed[("x", 0),] == listed[("y", 0),] == 5
    assert set(listed) == {
        (("feature", 0),),
        (("feature", 0), ("name", 0)),
        (("feature", 1),),
        (("feature", 1), ("name", 0)),
        (("feature", 1), ("type", 0)),
        (("x", 0),),
        (("y", 0),),
    }


def test_a_line_falls_back_to_the_message_around() -> None:
    lines = lines_by_path(TEXT)
    assert line_of(lines, (("feature", 0), ("float_domain", 0), ("max", 0))) == 7
    assert line_of(lines, (("feature", 7),)) is None


def test_the_deepest_message_is_found() -> None:
    assert deepest(TEXT) == (2, 6)
    assert deepest('a: "{{{"') == (0, 1)
