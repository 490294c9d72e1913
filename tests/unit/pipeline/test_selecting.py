"""`--select importance`: two runs, the second without the columns of no help."""

import dataclasses
import json
from typing import Any

import pytest
import yaml

from components.explain.explained import Cost, Unhelpful, UnhelpfulColumns
from pipeline import dag, plans, selecting
from pipeline.stage_choice import WHOLE, StageChoice
from schemas import catalog
from schemas.derived import DerivedColumn
from schemas.errors import ConfigError
from schemas.explain import Explain
from schemas.selection import ColumnSelection

FOUND = Unhelpful(
    columns=(
        UnhelpfulColumns(columns=("trip_start_day",)),
        UnhelpfulColumns(columns=("pickup_latitude", "pickup_longitude"), drop=-0.0001),
    ),
    together=Cost(drop=0.0001, low=-0.0003, high=0.0005),
)


def no_run(*_):
    pytest.fail("a run started")


@pytest.fixture
def taxi():
    return catalog.load("taxi")


def test_the_second_run_drops_what_the_first_one_finds(taxi, monkeypatch, capsys):
    started = []
    monkeypatch.setattr(selecting, "_explained", lambda *_: FOUND)
    start: Any = lambda *given: started.append(given)  # noqa: E731  # returns no summary
    selecting.run_selecting(start, taxi, output="runs")
    (first, until), (second, whole) = started
    assert (first, until, whole) == (taxi, StageChoice(until="explain"), WHOLE)
    costs = {"trip_start_day": None, "pickup_latitude": -0.0001, "pickup_longitude": -0.0001}
    assert second.spec.selection.unhelpful == costs
    assert dag.SELECT in dag.nodes(second)
    assert json.loads(plans.of_selection(second))["selection"]["unhelpful"] == costs
    shown = capsys.readouterr().out.splitlines()
    assert "3 columns are dropped" in shown[1]
    assert yaml.safe_load(shown[3]) == {"selection": {"unhelpful": costs}}


def test_a_derived_column_goes_with_what_it_is_made_from(taxi):
    pace = DerivedColumn("pace", "FLOAT", ("pickup_latitude",), "", "")
    twice = DerivedColumn("twice", "FLOAT", ("fare", "pace"), "", "")
    changed = dataclasses.replace(selecting.without(taxi, FOUND), derived=(pace, twice))
    costs = json.loads(plans.of_selection(changed))["selection"]["unhelpful"]
    assert (costs["pace"], costs["twice"]) == (-0.0001, -0.0001)


def test_what_a_monotone_model_names_stays_with_what_acts_with_it(taxi):
    left = selecting.without_needed(FOUND, {"pickup_latitude": "increasing"})
    assert [each.columns for each in left.columns] == [("trip_start_day",)]


@pytest.mark.parametrize(
    ("dropped", "said"), [("fares", "there is no column 'fares'"), ("fare", "monotone names it")]
)
def test_a_column_to_drop_has_to_be_there_and_not_to_be_needed(taxi, dropped, said):
    changed = {
        "selection": ColumnSelection(unhelpful={dropped: None}),
        "model": taxi.spec.model.model_copy(update={"monotone": {"fare": "increasing"}}),
    }
    with pytest.raises(ConfigError, match=said):
        catalog._checked(taxi.folder, taxi.schema_text, changed)


def test_it_needs_all_stages(taxi):
    with pytest.raises(ConfigError, match="--select is given with"):
        selecting.run_selecting(no_run, taxi, stages=StageChoice(until="train"))
    off = taxi.spec.model_copy(update={"explain": Explain(on=False)})
    with pytest.raises(ConfigError, match="needs the stage that explains"):
        selecting.run_selecting(no_run, dataclasses.replace(taxi, spec=off))
    assert dag.EXPLAIN not in dag.nodes(dataclasses.replace(taxi, spec=off))
