"""Edits of a schema.pbtxt leave everything else in it as it is."""

import pytest

from schemas import schema_text
from schemas.schema_text import Edit, append_field, apply, fields_of, set_field, set_value

TEXT = """# Trips.
feature {  # what it costs
  name: "fare"
  type: FLOAT
  float_domain { min: 0, max: 1e2 }  # dollars
}
feature <
  name: 'company' type: BYTES
  string_domain {
    value: "a # not a comment"
    value: "b"  # the second
  }
>
string_domain { name: "zones" value: ["x", "y"] }
"""


def test_a_value_is_replaced_where_it_stands():
    top = fields_of(TEXT)
    value = top.find("feature", "float_domain", "max")
    assert value is not None
    assert apply(TEXT, [set_value(value, "250")]) == TEXT.replace("1e2", "250")


def test_a_field_is_replaced_as_a_whole():
    value = fields_of(TEXT).find("feature", "float_domain")
    assert value is not None
    assert apply(TEXT, [set_field(value, "presence { }")]) == TEXT.replace(
        "float_domain { min: 0, max: 1e2 }", "presence { }"
    )


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ((1, "string_domain"), '"b"  # the second\n', '"b"  # the second\n    value: "c"\n'),
        ((2,), '["x", "y"]', '["x", "y", "c"]'),
    ],
)
def test_values_are_written_as_the_ones_before_them(path, old, new):
    message = fields_of(TEXT).fields[path[0]].find(*path[1:])
    assert apply(TEXT, [Edit(message=message, values=('"c"',))]) == TEXT.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('d { value: "a" value: "b" }', 'd { value: "a" value: "b" value: "c" }'),
        ('d {\n  value: "a" }', 'd {\n  value: "a"\n  value: "c" }'),
        ('d {\r\n\tvalue: "a"\r\n}', 'd {\r\n\tvalue: "a"\r\n\tvalue: "c"\r\n}'),
    ],
)
def test_values_keep_the_lines_of_the_text(old, new):
    message = fields_of(old).find("d")
    assert apply(old, [Edit(message=message, values=('"c"',))]) == new


def test_a_shared_domain_gets_each_value_once():
    message = fields_of(TEXT).all("string_domain")[0]
    edits = [Edit(message=message, values=values) for values in (('"c"', '"d"'), ('"d"', '"e"'))]
    assert '["x", "y", "c", "d", "e"]' in apply(TEXT, edits)


def test_several_edits_do_not_disturb_each_other():
    top = fields_of(TEXT)
    bounds = [top.find("feature", "float_domain", name) for name in ("min", "max")]
    edits = [set_value(value, "-12345") for value in bounds if value is not None]
    assert "float_domain { min: -12345, max: -12345 }  # dollars" in apply(TEXT, edits)


def test_a_new_feature_stands_after_the_last_one():
    new = 'feature {\n  name: "new"\n}\n'
    assert apply(TEXT, [append_field(TEXT, new)]) == TEXT.replace(
        ">\nstring_domain", f">\n{new}string_domain"
    )
    assert apply("# empty", [append_field("# empty", new)]) == f"# empty\n{new}".rstrip("\n")


def test_every_field_of_the_shipped_schemas_is_found():
    from schemas.catalog import SHIPPED
    from schemas.columns import parse_as_written

    paths = sorted(SHIPPED.glob("*/schema.pbtxt"))
    assert paths
    for path in paths:
        text = path.read_text()
        features = schema_text.fields_of(text).all("feature")
        names = []
        for feature in features:
            name = feature.find("name")
            assert name is not None
            names.append(text[name.at + 1 : name.end - 1])
        assert names == [f.name for f in parse_as_written(text, where="").feature]
