"""Datasets read whole, and what a person is told when a file of theirs is wrong."""

import contextlib
import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import catalog, spec
from schemas.columns import Column
from schemas.errors import ConfigError


def refusal(name_or_path):
    with pytest.raises(ConfigError) as caught:
        catalog.load(str(name_or_path))
    return caught.value


def test_the_taxi_dataset_is_whole():
    taxi = catalog.load("taxi")
    assert taxi.spec.name == taxi.folder.name == "taxi"
    assert [c.name for c in taxi.columns if not c.serving] == ["tips"]
    kinds = {c.name: c.kind for c in taxi.columns}
    assert len(kinds) == 18
    assert (kinds["fare"], kinds["trip_start_hour"], kinds["company"]) == ("FLOAT", "INT", "BYTES")
    assert taxi.spec.label.exceeds == spec.Exceeds(column="tips", fraction=0.2, of="fare")
    assert (taxi.spec.splits.train, taxi.spec.splits.eval, taxi.spec.splits.test) == (
        0.7,
        0.15,
        0.15,
    )
    by_column = {f.column: f.treatments for f in taxi.spec.features}
    assert by_column["fare"] == (spec.ZScore(log1p=True), spec.QuantileBuckets(buckets=10))
    assert by_column["company"] == (spec.Vocabulary(top_k=1000, min_count=3, oov_buckets=10),)
    assert by_column["trip_start_hour"] == (spec.Vocabulary(),)
    assert taxi.spec.crosses[0] == spec.Cross(columns=("payment_type", "company"), buckets=500)
    assert taxi.spec.evaluation.thresholds.auc == spec.Bound(min=0.93, max_loss=0.005)
    assert "tips" not in taxi.spec.feature_columns
    # the key holds nothing of the outcome
    assert "tips" not in taxi.spec.splits.key
    assert 'not_in_environment: "SERVING"' in taxi.schema_text


def test_a_users_folder_is_read_by_its_path(folder, monkeypatch):
    dataset = catalog.load(str(folder))
    assert dataset.columns == (
        Column("fare", "FLOAT", True),
        Column("hour", "INT", True),
        Column("payment", "BYTES", True),
        Column("tips", "FLOAT", False),
    )
    assert dataset.source_path == str(folder.path / "data.csv")
    assert dataset.spec.features[1].treatments == (spec.Vocabulary(), spec.ZScore())
    assert dataset.spec.features[2].treatments == (spec.Vocabulary(),)
    assert dataset.spec.feature_columns == ("fare", "hour", "payment")
    monkeypatch.chdir(folder.path.parent)
    assert catalog.load(folder.path.name) == dataset


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
        ("name: tiny", "name: 12", "name: Input should be a valid string, got 12"),
        ("name: tiny", "name: a/b", "should match pattern"),
        ("log1p: true", "log1p: perhaps", "got 'perhaps'"),
        ("{buckets: 4}", "{buckets: 1}", "greater than or equal to 2, got 1"),
        ("{buckets: 4}", "{buckets: 4.5}", "got 4.5"),
        ("{buckets: 4}", "[4]", "must be keys with values, got [4]"),
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
        ("[vocabulary, z_score]", "[]", "at least 1 item"),
        ("[vocabulary, z_score]", "", "hour"),
        (
            "exceeds: {column: tips, fraction: 0.2, of: fare}",
            "equals: {column: payment, values: [No]}",
            "label.equals.values: False is neither text nor an integer; text that YAML reads",
        ),
    ],
)
def test_a_value_that_cannot_be_is_named(folder, old, new, said):
    folder.change(old, new)
    if said == "hour":  # a column without treatments
        said = "features.1.treatments"
    assert said in refusal(folder).what


def test_a_wrong_value_stands_beside_its_line(folder):
    line = folder.change("{buckets: 4}", "{buckets: 1}")
    assert refusal(folder).what.startswith(f"pipeline.yaml:{line}: features.0.treatments.1")
    line = folder.change("hidden_units: [8, 4]", "hidden_units: [8, x]")
    assert f"\npipeline.yaml:{line}: model.hidden_units.1: " in refusal(folder).what


def test_a_label_is_made_in_exactly_one_way(folder):
    line = folder.change("exceeds: {", "equals: {column: payment, values: [Cash]}\n  exceeds: {")
    assert "give exactly one of 'equals' and 'exceeds'" in refusal(folder).what
    assert refusal(folder).what.startswith(f"pipeline.yaml:{line - 2}: label")


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
    assert error.what == f"the key {key!r} is given twice, in line {first} too"
    assert error.where == f"{folder.pipeline}:{second}"


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]",
        "a: &a {b: *a}",
        "[" * 2000,
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
def test_what_is_no_yaml_mapping_is_a_config_error(folder, text):
    folder.pipeline.write_text(text)
    assert refusal(folder).where.startswith(str(folder.pipeline))


def test_a_syntax_error_names_its_line(folder):
    line = folder.change("  path: data.csv", "  path: data: csv")
    error = refusal(folder)
    assert error.what.startswith("pipeline.yaml is no YAML: ")
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


def test_a_missing_file_is_named(folder):
    folder.schema.unlink()
    error = refusal(folder)
    assert (error.what, error.where) == ("schema.pbtxt is missing", str(folder))
    assert "taxi/schema.pbtxt" in error.remedy


def test_a_folder_without_pipeline_yaml_is_told_what_belongs_there(folder):
    folder.pipeline.unlink()
    error = refusal(folder)
    assert "has no pipeline.yaml" in error.what
    assert error.expected == "a folder with pipeline.yaml and schema.pbtxt"


def test_a_folder_in_a_files_place_is_a_config_error(folder):
    folder.schema.unlink()
    folder.schema.mkdir()
    assert refusal(folder).what.startswith("schema.pbtxt cannot be read: ")


@pytest.mark.parametrize("file", ["pipeline", "schema"])
def test_text_that_is_not_utf_8_is_named(folder, file):
    path = getattr(folder, file)
    path.write_bytes("name: é".encode("latin-1"))
    error = refusal(folder)
    assert error.what.startswith(f"{path.name} is not UTF-8: ")
    assert error.where == str(path)


@pytest.mark.parametrize("name", ["taxy", "Taxi", "tax"])
def test_an_unknown_dataset_is_answered_with_the_nearest(name):
    assert f"there is no dataset {name!r}; did you mean 'taxi'?" in refusal(name).what


@pytest.mark.parametrize("name", ["", "no-such", "a" * 5000, "a\0b", "/no/such/folder"])
def test_a_name_that_is_nowhere_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if name:
        assert "one of: " in refusal(name).what
    assert "pipeline.yaml" in refusal(name).expected


def test_a_feature_that_no_request_carries_leaks_the_answer(folder):
    folder.change("  payment: vocabulary", "  tips: z_score\n  payment: vocabulary")
    error = refusal(folder)
    assert error.what == "the feature 'tips' is not known when serving"
    assert "leak" in error.expected


def test_the_outcome_is_no_feature_even_where_requests_carry_it(folder):
    folder.change("  payment: vocabulary", "  tips: z_score\n  payment: vocabulary")
    folder.change_schema(' not_in_environment: "SERVING"', "")
    assert refusal(folder).what == "the feature 'tips' is what the label is made from"


def test_a_cross_leaks_as_a_feature_does(folder):
    folder.change("  hour: [vocabulary, z_score]\n", "")
    folder.change_schema('"hour" type: INT', '"hour" type: INT not_in_environment: "SERVING"')
    assert refusal(folder).what == "the feature 'hour' is not known when serving"


@pytest.mark.parametrize(
    ("old", "new", "what", "expected"),
    [
        (
            "payment: vocabulary",
            "payment: z_score",
            "z_score cannot take 'payment', which is BYTES",
            "INT or FLOAT",
        ),
        (
            "payment: vocabulary",
            "payment: quantile_buckets",
            "quantile_buckets cannot take 'payment', which is BYTES",
            "INT or FLOAT",
        ),
        (
            "- quantile_buckets: {buckets: 4}",
            "- vocabulary",
            "vocabulary cannot take 'fare', which is FLOAT",
            "INT or BYTES",
        ),
        (
            "[payment, hour]",
            "[payment, fare]",
            "a cross cannot take 'fare', which is FLOAT",
            "INT or BYTES",
        ),
        (
            "column: tips",
            "column: payment",
            "label.exceeds cannot take 'payment', which is BYTES",
            "INT or FLOAT",
        ),
        (
            "exceeds: {column: tips, fraction: 0.2, of: fare}",
            "equals: {column: fare, values: [1]}",
            "label.equals cannot take 'fare', which is FLOAT",
            "INT or BYTES",
        ),
    ],
)
def test_a_column_of_the_wrong_kind_is_refused(folder, old, new, what, expected):
    folder.change(old, new)
    error = refusal(folder)
    assert (error.what, error.expected) == (what, expected)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("payment: vocabulary", "paymnt: vocabulary", "features"),
        ("[payment, hour]", "[paymnt, hour]", "crosses"),
        ("key: [fare, hour]", "key: [paymnt]", "splits.key"),
        ("slices: [payment]", "slices: [paymnt]", "evaluation.slices"),
        ("column: tips", "column: paymnt", "label"),
        ("of: fare", "of: paymnt", "label"),
    ],
)
def test_a_column_that_the_schema_lacks_is_answered_with_the_nearest(folder, old, new, place):
    folder.change(old, new)
    error = refusal(folder)
    assert error.what == "there is no column 'paymnt' in schema.pbtxt; did you mean 'payment'?"
    assert place in error.where
    assert str(folder.pipeline) in error.where


@pytest.mark.parametrize(
    ("path", "resolved"),
    [
        ("data.csv", "FOLDER/data.csv"),
        ("/data/*.csv", "/data/*.csv"),
        ("s3://bucket/data.csv", "s3://bucket/data.csv"),
        ("package://schemas/taxi/x.csv", os.path.join(catalog.SHIPPED, "taxi/x.csv")),
    ],
)
def test_a_source_is_resolved(path, resolved, tmp_path):
    assert catalog.resolve_path(path, tmp_path) == resolved.replace("FOLDER", str(tmp_path))


@pytest.mark.parametrize(
    "path", ["package://no_such_package/x.csv", "package:///x.csv", "package://no_such.part/x"]
)
def test_a_source_in_a_package_that_is_not_there_is_refused(path, tmp_path):
    with pytest.raises(ConfigError, match="is not installed") as caught:
        catalog.resolve_path(path, tmp_path)
    assert caught.value.where == path


def test_reading_a_dataset_imports_nothing_heavy():
    code = (
        "import sys; from schemas import catalog, layout; catalog.load('taxi');"
        "print(sorted({'tensorflow', 'pyarrow', 'numpy', 'apache_beam', 'tfx', 'keras'}"
        ".intersection(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
