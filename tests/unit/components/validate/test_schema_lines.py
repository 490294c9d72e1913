from hypothesis import given
from hypothesis import strategies as st

from components.validate.schema_lines import lines_of, place

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
    assert all(1 <= line <= text.count("\n") + 1 for line in lines_of(text).values())
