"""The node validate receives rules, and the statistics that `previous` in them means."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline import lineage, rule_nodes
from pipeline.folders import Folders
from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.validation import Validation

PRESENT = "the present source"


def dataset(**rules):
    return SimpleNamespace(
        spec=SimpleNamespace(validation=Validation.model_validate({"rules": rules})),
        columns=(Column("n", "INT", serving=True), Column("t", "BYTES", serving=True)),
        folder=Path("shop"),
    )


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """The folders of a pipeline with runs: the oldest first, each pushed or not, of a source."""
    runs = {
        "1": (1, "first source"),
        "2": (1, "second source"),
        "3": (0, "third source"),
        "4": (1, PRESENT),
    }
    root = Folders(tmp_path)
    root.metadata.touch()

    def execution(node, channel, uri, **properties):
        return lineage.Execution(
            node, "COMPLETE", {channel: lineage.Artifact(str(uri), properties)}
        )

    def read_run(metadata, run_id):
        pushed, source = runs[run_id]
        return {
            "ingest": execution("ingest", "examples", "", input_fingerprint=source),
            "statistics": execution("statistics", "statistics", tmp_path / f"statistics{run_id}"),
            "push": execution("push", "pushed", "", pushed=pushed),
        }

    for run_id in runs:
        (tmp_path / "runs" / run_id).mkdir(parents=True)
        (tmp_path / f"statistics{run_id}").mkdir()
    monkeypatch.setattr(lineage, "read_run", read_run)
    return root


def previous(folders):
    rules = dataset(enough="count(*) > previous")
    return rule_nodes.parameters(rules, folders, PRESENT)["previous"]


def test_previous_data_are_those_of_the_newest_served_model_of_another_source(folders):
    assert previous(folders) == str(folders.root / "statistics2")


def test_statistics_that_were_removed_are_passed_over(folders):
    (folders.root / "statistics2").rmdir()
    assert previous(folders) == str(folders.root / "statistics1")


def test_a_pipeline_that_never_ran_has_no_previous_data(tmp_path):
    assert previous(Folders(tmp_path)) == ""


def test_rules_that_compare_nothing_do_not_depend_on_earlier_runs(folders):
    given = rule_nodes.parameters(dataset(positive="n > 0"), folders, PRESENT)
    assert given["previous"] == ""
    assert list(json.loads(given["rules"])) == ["rules"]
    assert json.loads(given["columns"])[0]["name"] == "n"


def test_without_rules_the_node_receives_nothing(folders):
    assert rule_nodes.parameters(dataset(), folders, PRESENT) == {}


def test_a_pattern_that_is_not_regular_is_refused_before_a_run():
    rules = dataset(fine="regexp_matches(t, 'a+')", broken="regexp_matches(t, '(a')")
    with pytest.raises(ConfigError, match=r"DuckDB cannot compute") as error:
        rule_nodes.check(rules)
    assert error.value.where == "shop/pipeline.yaml: validation.rules.broken"
