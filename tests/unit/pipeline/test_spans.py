"""The spans of a dataset in words, and the nodes that they add to the DAG."""

import dataclasses

import pytest

from pipeline import dag, source, spans
from schemas import catalog
from schemas.errors import ConfigError, DataError
from schemas.spans import Span


@pytest.fixture
def dataset(tmp_path):
    """The taxi dataset, with the spans 8, 9, 10 and 12."""
    for file in (catalog.SPEC_FILE, catalog.SCHEMA_FILE):
        text = (catalog.SHIPPED / "taxi" / file).read_text()
        path = f"path: {catalog.load('taxi').spec.source.paths[0]}"
        text = text.replace(path, "path: 'd/{SPAN}/*.csv'\n  spans: last 3")
        (tmp_path / file).write_text(text)
    for span in (8, 9, 10, 12):
        (tmp_path / "d" / str(span)).mkdir(parents=True)
        (tmp_path / "d" / str(span) / "a.csv").write_text(f"of {span}")
    return catalog.load(str(tmp_path))


def test_pipeline_yaml_says_which_spans_are_read_and_the_command_line_overrides_it(dataset):
    assert [span.number for span in spans.resolved(dataset).spans] == [10, 12]
    resolved = spans.resolved(dataset, "8..10")
    assert source.paths_of(resolved) == [
        str(dataset.folder / f"d/{span}/a.csv") for span in (8, 9, 10)
    ]


def test_missing_spans_between_others_are_named(dataset):
    assert spans.in_words(spans.resolved(dataset)) == "10 and 12 (11 does not exist)"
    assert spans.in_words(spans.resolved(dataset, "8..10")) == "8 to 10"


def test_a_choice_is_refused_where_there_is_nothing_to_choose_from(dataset):
    with pytest.raises(DataError, match="spans 8 to 10 and 12 exist; 11 does not"):
        spans.resolved(dataset, "11")
    with pytest.raises(ConfigError, match="expected spans such as last 7, 12 or 10"):
        spans.resolved(dataset, "new")
    with pytest.raises(ConfigError, match="there are no spans to choose 'last 7' from"):
        spans.resolved(catalog.load("taxi"), "last 7")
    assert spans.resolved(catalog.load("taxi")) == catalog.load("taxi")


def test_each_span_is_read_and_measured_by_nodes_of_its_own(dataset):
    assert dag.nodes(spans.resolved(dataset, "8..10"))[:9] == (
        "import_schema",
        "ingest_10",
        "ingest_8",
        "ingest_9",
        "ingest",
        "statistics_10",
        "statistics_8",
        "statistics_9",
        "statistics",
    )
    assert dag.nodes(spans.resolved(dataset, "12"))[:5] == (
        "import_schema",
        "ingest_12",
        "ingest",
        "statistics_12",
        "statistics",
    )
    assert dag.nodes(catalog.load("taxi")) == dag.NODES
    compared = spans.compared(spans.resolved(dataset, "8..10"))
    assert {name: span.number for name, span in compared.items()} == {"before": 9, "newest": 10}
    assert spans.compared(spans.resolved(dataset, "12")) == {}


def test_a_pipeline_named_like_the_node_of_a_span_gets_another_id(dataset):
    nodes = dag.nodes(spans.resolved(dataset, "8..10"))
    assert dag.pipeline_id("ingest_8", nodes) == "ingest_8-pipeline"
    assert dag.pipeline_id("ingest_8") == "ingest_8"


def test_a_label_of_a_span_has_its_version():
    assert Span(3, None, "3.csv", "3").label == "3"
    assert Span(3, 2, "3.csv", "3").label == "3 version 2"


def test_a_dataset_with_one_span_reads_that_span_alone(dataset):
    resolved = spans.resolved(dataset, "8..10")
    alone = spans.alone(resolved, resolved.spans[1])
    assert alone == dataclasses.replace(resolved, spans=resolved.spans[1:2])
    assert source.paths_of(alone) == [str(dataset.folder / "d/9/a.csv")]
