"""Names in pipeline.yaml that YAML would read as numbers, booleans, dates or nothing."""

import pytest

from schemas import catalog
from schemas.runners import Process
from schemas.tasks.binary import Binary
from schemas.treatments.vocabulary import Vocabulary
from schemas.treatments.z_score import ZScore
from tests.unit.schemas.conftest import refusal

# YAML 1.1 reads these as, in order: False, True, True, None, None, 8, 1.1, 45000, 1000, 16, a date,
# a number, a mapping's default value.
ODD: tuple[str, ...] = (
    "no",
    "on",
    "Yes",
    "null",
    "~",
    "010",
    "1.10",
    "12:30:00",
    "1_000",
    "0x10",
    "2020-01-01",
)
ODD += ("2020", "=")


@pytest.fixture
def odd(folder):
    """A dataset with a BYTES column for every odd name, and one for YAML's reading of each."""
    names = (*ODD, "False", "True", "None", "8", "1.1", "45000", "1000", "16")
    columns = "".join(f'feature {{ name: "{name}" type: BYTES }}\n' for name in names)
    folder.schema.write_text(folder.schema.read_text() + columns)
    return folder


def label_values(folder):
    label = catalog.read_spec(folder.pipeline).label
    assert isinstance(label, Binary)
    equals = label.equals
    assert equals is not None
    return equals.values


@pytest.mark.parametrize("name", ODD)
def test_a_feature_is_the_column_of_the_name_as_written(odd, name):
    odd.change("  payment: vocabulary", f"  {name}: vocabulary")
    feature = catalog.load(str(odd)).spec.features[2]
    assert (feature.column, feature.treatments) == (name, (Vocabulary(),))


@pytest.mark.parametrize("name", ODD)
def test_a_column_in_a_list_is_the_one_of_the_name_as_written(odd, name):
    odd.change("  key: [fare, hour]", f"  key: [fare, {name}]")
    odd.change("[payment, hour]", f"[{name}, hour]")
    odd.change("slices: [payment]", f"slices:\n  - {name}")
    odd.change("path: data.csv", f"path: data.csv\n  null_values: [{name}]")
    odd.change(
        "exceeds: {column: tips, fraction: 0.2, of: fare}",
        f"equals:\n    column: {name}\n    values: [x]",
    )
    odd.change("name: big_tip", f"name: {name}")
    spec = catalog.read_spec(odd.pipeline)
    assert spec.splits.columns == ("fare", name)
    assert spec.crosses[0].columns == (name, "hour")
    assert spec.evaluation.slices == (name,)
    assert spec.source.null_values == (name,)
    assert spec.label.columns == (name,)
    assert spec.label.name == name


@pytest.mark.parametrize("name", ODD)
def test_features_in_a_list_are_read_as_written(odd, name):
    text = odd.pipeline.read_text()
    begin, end = text.index("features:"), text.index("crosses:")
    features = f"features: [{{column: {name}, treatments: vocabulary}}]\n"
    odd.pipeline.write_text(text[:begin] + features + text[end:])
    assert catalog.read_spec(odd.pipeline).features[0].column == name


def test_names_of_classes_are_read_as_written(folder):
    folder.change("model:\n", "export: {classes: [No, Yes]}\nmodel:\n")
    assert catalog.read_spec(folder.pipeline).export.class_names({}) == ("No", "Yes")


def test_a_key_given_twice_is_noticed_only_where_the_text_is_equal(folder):
    folder.change("  payment: vocabulary", "  010: vocabulary\n  8: vocabulary")
    assert [f.column for f in catalog.read_spec(folder.pipeline).features][2:] == ["010", "8"]
    folder.change("  8: vocabulary", '  "010": vocabulary')
    assert refusal(folder).what == "the key '010' is given twice, also in line 15"


@pytest.mark.parametrize(
    "value",
    [
        *(name for name in ODD if name not in ("2020", "=")),
        "True",
        "1.5",
        "+5",
        "-0",
        "1e3",
        ".inf",
    ],
)
def test_a_label_value_that_yaml_reads_as_something_else_needs_quotes(odd, value):
    equals = f"equals:\n    column: payment\n    values:\n      - {value}"
    line = odd.change("exceeds: {column: tips, fraction: 0.2, of: fare}", equals) + 3
    if value == "1e3":  # text in YAML 1.1
        assert label_values(odd) == ("1e3",)
        return
    error = refusal(odd)
    assert error.what == f"YAML does not read {value} as text"
    assert error.where == f"{odd.pipeline}:{line}"
    assert error.remedy == f'put text in quotes: "{value}"'
    odd.change(f"- {value}\n", f'- "{value}"\n')
    assert label_values(odd) == (value,)


@pytest.mark.parametrize("value", ["0", "1", "-7", "2020"])
def test_a_label_value_in_decimal_is_a_number(folder, value):
    folder.change(
        "exceeds: {column: tips, fraction: 0.2, of: fare}",
        f"equals: {{column: hour, values: [{value}]}}",
    )
    assert label_values(folder) == (int(value),)


@pytest.mark.parametrize("version", ["1.20", "1.17"])
def test_a_version_is_read_as_written(folder, version):
    folder.change("model:\n", f"runner: {{flink: {{version: {version}}}}}\nmodel:\n")
    assert catalog.read_spec(folder.pipeline).runner.flink.version == version


def test_a_combination_has_columns_and_options_as_written(odd):
    odd.change("model:\n", "combinations:\n  - cross: {columns: [010, no], name: 1.10}\nmodel:\n")
    (cross,) = catalog.load(str(odd)).spec.combinations
    assert (cross.columns, cross.name) == (("010", "no"), "1.10")


def test_a_mapping_s_values_are_text_as_written(folder):
    folder.change(
        "model:\n",
        "runner: {flink: {workers: {process: {command: c, environment: {A: no}}}}}\nmodel:\n",
    )
    workers = catalog.read_spec(folder.pipeline).runner.flink.workers
    assert isinstance(workers, Process)
    assert workers.environment == {"A": "no"}


def test_numbers_and_truths_are_still_what_yaml_reads(folder):
    folder.change("log1p: true", "log1p: yes")
    folder.change("buckets: 20", "buckets: 1_000")
    folder.change("learning_rate: 0.01", "learning_rate: 1.0e-2")
    spec = catalog.read_spec(folder.pipeline)
    assert spec.features[0].treatments[0] == ZScore(log1p=True)
    assert spec.crosses[0].buckets == 1000
    assert spec.model.deep.learning_rate == 0.01


def test_merged_keys_are_read_as_written_too(folder):
    text = folder.pipeline.read_text()
    folder.pipeline.write_text(
        text.replace("evaluation:\n", "evaluation:\n  <<: {slices: [010]}\n").replace(
            "  slices: [payment]\n", ""
        )
    )
    assert catalog.read_spec(folder.pipeline).evaluation.slices == ("010",)
