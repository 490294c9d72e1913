"""Errors in pipeline.yaml itself: line, key and value."""

import contextlib
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import catalog
from schemas.errors import ConfigError
from tests.unit.schemas.conftest import refusal

BUCKETS = "quantile_buckets: {buckets: 4}"


@pytest.mark.parametrize(
    ("old", "new", "where", "hint"),
    [
        ("model:\n", "modl:\n", "", "unknown key 'modl'; did you mean 'model'?"),
        ("path: data", "pth: data", "source", "unknown key 'pth'; did you mean 'path'?"),
        ("key: [fare", "keys: [fare", "splits", "unknown key 'keys'; did you mean 'key'?"),
        ("  exceeds:", "  exceed:", "label", "unknown key 'exceed'; did you mean 'exceeds'?"),
        (
            "exceeds: {column: tips, fraction",
            "exceeds: {column: tips, fractoin",
            "label.exceeds",
            "unknown key 'fractoin'; did you mean 'fraction'?",
        ),
        (
            "payment: vocabulary",
            "payment: [quantile_bucket: {}]",
            "features.2.treatments",
            "unknown treatment 'quantile_bucket'; did you mean 'quantile_buckets'?",
        ),
        (
            "log1p: true",
            "log1: true",
            "features.0.treatments.0.z_score",
            "unknown key 'log1'; did you mean 'log1p'?",
        ),
        (
            "payment: vocabulary",
            "payment: vocabularies",
            "features.2.treatments",
            "unknown treatment 'vocabularies'; did you mean 'vocabulary'?",
        ),
        (
            "  buckets: 20",
            "  bukets: 20",
            "crosses.0",
            "unknown key 'bukets'; did you mean 'buckets'?",
        ),
        (
            "deep: {learning_rate",
            "deep: {learning_rat",
            "model.deep",
            "unknown key 'learning_rat'; did you mean 'learning_rate'?",
        ),
        (
            "auc: {min",
            "auk: {min",
            "evaluation.thresholds",
            "unknown key 'auk'; did you mean 'auc'?",
        ),
        ("{min: 0.6}", "{minn: 0.6}", "evaluation.thresholds.auc", "did you mean 'min'?"),
    ],
)
def test_a_typo_is_answered_with_its_line_and_the_nearest_key(folder, old, new, where, hint):
    line = folder.change(old, new)
    error = refusal(folder)
    assert hint in error.what
    assert error.what.startswith(f"pipeline.yaml:{line}: {where or '(top)'}: ")
    assert error.where == str(folder.pipeline)
    assert error.exit_code == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name: tiny", "name: 12", "a letter first, got '12'"),
        ("name: tiny", "name:", "name: expected a text, got None"),
        ("name: tiny", "name: [a]", "name: expected a text, got ['a']"),
        ("name: tiny", "name: a/b", "a letter first, got 'a/b'"),
        ("log1p: true", "log1p: perhaps", "got 'perhaps'"),
        ("{buckets: 4}", "{buckets: 1}", "greater than or equal to 2, got 1"),
        ("{buckets: 4}", "{buckets: 4.5}", "got 4.5"),
        ("{buckets: 4}", "[4]", "must be keys with values, got [4]"),
        (BUCKETS, "buckets: {at: [2, 1]}", "buckets.at: expected ascending numbers, got 1 after 2"),
        (BUCKETS, "buckets", "buckets: expected either `at`, the numbers between intervals"),
        (BUCKETS, "min_max: {range: [1, 0]}", "range: expected the smaller number first, got [1.0"),
        (
            BUCKETS,
            "min_max: {quantiles: [0, 2]}",
            "quantiles.1: Input should be less than or equal",
        ),
        (
            BUCKETS,
            "min_max: {quantiles: [0, 0.9], values: [0, 5]}",
            "min_max: `values` and `quantiles` both give the ends: keep one of them",
        ),
        ("hidden_units: [8, 4]", "hidden_units: []", "at least 1 item"),
        ("hidden_units: [8, 4]", "hidden_units: [8, 0]", "got 0"),
        ("learning_rate: 0.01", "learning_rate: 0", "greater than 0, got 0"),
        ("learning_rate: 0.01", "learning_rate: .inf", "finite number, got inf"),
        ("fraction: 0.2", "fraction: .nan", "finite number, got nan"),
        ("{min: 0.6}", "{min: .nan}", "finite number, got nan"),
        ("key: [fare, hour]", "key: []", "at least 1 item"),
        ("columns: [payment, hour]", "columns: [payment]", "at least 2 items"),
        ("  key:", "  train: 0.9\n  key:", "train + eval + test must be 1, got 1.2"),
        ("model:\n", "model:\n  dropout: 1\n", "less than 1, got 1"),
        ("model:\n", "model:\n  seed: 4294967296\n", "got 4294967296"),
        ("  name: big_tip\n", "", "label.name: this key is needed"),
        ("key: [fare, hour]", "key: fare", "expected a list, such as [a, b], got 'fare'"),
        ("{min: 0.6}", "0.6", "expected keys with values, got 0.6"),
        ("[vocabulary, z_score]", "[{vocabulary: {}, z_score: {}}]", "one treatment an entry"),
        ("[vocabulary, z_score]", "[]", "a list of treatments, or drop, got []"),
        ("[vocabulary, z_score]", "", "hour"),
    ],
)
def test_a_value_that_cannot_be_is_named(folder, old, new, said):
    folder.change(old, new)
    if said == "hour":  # a column without treatments
        said = "features.1.treatments"
    assert said in refusal(folder).what


def test_a_list_with_a_wrong_item_is_not_called_too_short_as_well(folder):
    folder.change("payment: vocabulary", "payment: [vocabulary: {top_k: 0}]")
    assert len(refusal(folder).what.splitlines()) == 1


def test_a_wrong_value_is_shown_with_its_line(folder):
    line = folder.change("{buckets: 4}", "{buckets: 1}")
    assert refusal(folder).what.startswith(f"pipeline.yaml:{line}: features.0.treatments.1")
    line = folder.change("hidden_units: [8, 4]", "hidden_units: [8, x]")
    assert f"\npipeline.yaml:{line}: model.hidden_units.1: " in refusal(folder).what


def test_a_label_is_made_in_exactly_one_way(folder):
    line = folder.change("exceeds: {", "equals: {column: payment, values: [Cash]}\n  exceeds: {")
    assert "give exactly one of 'column', 'equals' and 'exceeds'" in refusal(folder).what
    assert refusal(folder).what.startswith(f"pipeline.yaml:{line - 2}: label")


def test_the_schema_decides_the_task_of_a_label_that_is_a_column(folder):
    folder.change(
        "  name: big_tip\n  exceeds: {column: tips, fraction: 0.2, of: fare}", "  column: tips"
    )
    folder.change("    auc: {min: 0.6}", "    rmse: {max: 9}")
    assert catalog.load(str(folder)).spec.label.task == "regression"
    folder.change("column: tips", "column: tip")
    assert refusal(folder).what == "there is no column 'tip' in schema.pbtxt; did you mean 'tips'?"


@pytest.mark.parametrize(
    ("old", "new", "key", "first", "second"),
    [
        ("name: tiny\n", "name: tiny\nname: other\n", "name", 1, 2),
        ("  hour: [v", "  fare: [vocabulary]\n  hour: [v", "fare", 10, 14),
        ("log1p: true", "log1p: true\n        log1p: false", "log1p", 12, 13),
        ("    buckets: 20\n", "    buckets: 20\n    buckets: 30\n", "buckets", 18, 19),
        ("{min: 0.6}", "{min: 0.6, min: 0.7}", "min", 24, 24),
    ],
)
def test_a_key_given_twice_is_refused_not_overwritten(folder, old, new, key, first, second):
    folder.change(old, new)
    error = refusal(folder)
    assert error.what == f"the key {key!r} is given twice, also in line {first}"
    assert error.where == f"{folder.pipeline}:{second}"


@pytest.mark.parametrize(
    "text",
    [
        "? [a]\n: b",
        "x: 2001-99-99",
        "x: 0b_",
        "x: !!int z",
        "x: !!timestamp z",
        "x: !!python/object:os.system 1",
        "a: b: c",
        "\tname: x",
        "name: \x00",
        "<<: 3",
        "",
        "# nothing\n",
        "- name\n- source\n",
        "just text",
        "null",
        "1: 2",
        "--- {}\n--- {}\n",
    ],
)
def test_text_that_is_not_a_yaml_mapping_is_a_config_error(folder, text):
    folder.pipeline.write_text(text)
    assert refusal(folder).where.startswith(str(folder.pipeline))


@pytest.mark.parametrize(
    ("text", "problem", "place"),
    [
        ("a:\n- &a [*a]", "an alias contains itself", "2:7"),
        ("a: &a {b: *a}", "an alias contains itself", "1:11"),
        ("a:\n" + "[" * 500, "lists and mappings nest more than 50 deep", "2:50"),
        ("\n".join(f"{' ' * n}a:" for n in range(300)), "nest more than 50 deep", "50:50"),
        (
            "a: &a0 {b: []}\n" + "".join(f"x{n}: &a{n + 1} [*a{n}]\n" for n in range(99)),
            "nest",
            "49",
        ),
    ],
)
def test_what_nests_without_end_is_refused_with_its_line(folder, text, problem, place):
    folder.pipeline.write_text(text)
    error = refusal(folder)
    assert error.what.startswith("pipeline.yaml is refused: ")
    assert problem in error.what
    assert error.where.startswith(f"{folder.pipeline}:{place}")


@pytest.mark.parametrize("levels", [5, 7, 50])
@pytest.mark.parametrize(
    ("first", "level"),
    [
        ("a0: &a0 [x, x]\n", "a{0}: &a{0} [{1}]\n"),
        ("a0: &a0 {x: 1, y: 2}\n", "a{0}: &a{0} {{<<: [{1}], x{0}: 1}}\n"),
        ("a0: &a0 {x: 1}\n", "a{0}: &a{0} [{1}]\n"),
    ],
)
def test_an_alias_bomb_is_refused_before_it_goes_off(folder, levels, first, level):
    text = first + "".join(
        level.format(n, ", ".join([f"*a{n - 1}"] * 10)) for n in range(1, levels + 1)
    )
    folder.pipeline.write_text(text)
    began = time.process_time()
    error = refusal(folder)
    assert "aliases (*) expand to more than 10,000 values" in error.what
    assert time.process_time() - began < 2
    assert error.where.startswith(f"{folder.pipeline}:")


def test_an_alias_is_expanded(folder):
    folder.change("  key: [fare, hour]", "  key: &key [fare, hour]")
    folder.change("slices: [payment]", "slices: *key")
    assert catalog.read_spec(folder.pipeline).evaluation.slices == ("fare", "hour")


def test_a_syntax_error_names_its_line(folder):
    line = folder.change("  path: data.csv", "  path: data: csv")
    error = refusal(folder)
    assert error.what.startswith("pipeline.yaml is not YAML: ")
    assert error.where.startswith(f"{folder.pipeline}:{line}:")
    assert "unicode string" not in error.what


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200
)
@given(text=st.one_of(st.text(), st.text(alphabet=":-[]{}&*!<> \n'\"ab#%|?0_=", max_size=30)))
def test_no_text_raises_anything_else(folder, text):
    folder.pipeline.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ConfigError):
        catalog.load(str(folder))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    line=st.integers(0, 26),
    value=st.sampled_from(
        [
            *("", "x", "[", "{", "[]", "{}", "1", "-1", "1e999", ".nan", "~", "[[a]]", "{a: b}"),
            *("yes", "2001-01-01", "é", "!!set {a}", "[1, {}]", "'", "*a", "- a"),
        ]
    ),
)
def test_any_value_in_any_line_is_read_or_refused(folder, line, value):
    lines = folder_lines()
    key, _, _ = lines[line % len(lines)].partition(":")
    lines[line % len(lines)] = f"{key}: {value}"
    folder.pipeline.write_text("\n".join(lines), encoding="utf-8")
    with contextlib.suppress(ConfigError):
        assert catalog.read_spec(folder.pipeline).feature_columns


def folder_lines():
    return (catalog.SHIPPED / "taxi" / "pipeline.yaml").read_text().splitlines()[3:]
