"""A search keeps its trials, goes on after a kill, and is won by a number."""

from __future__ import annotations

import math
from typing import Any

import pytest

from schemas.model import Model

optuna = pytest.importorskip("optuna", reason="needs skewless[tune]")

from components.tune import search as searching  # noqa: E402
from components.tune.space import suggest  # noqa: E402

pytestmark = pytest.mark.component

BASE = Model(dropout=0.2)


def loss_of(model, after_round):
    """A loss that is least at a dropout of 0.1."""
    for step in (1, 2, 3):
        after_round(step, 1 / step)
    return abs(model.dropout - 0.1)


def run(path, trials, objective=loss_of, name="table", seed=1):
    study = searching.open_study(str(path), name, seed)
    told: list[Any] = []
    searching.search(study, objective, BASE, 1000, seconds=60, trials=trials, ended=told.append)
    return study, told


def test_the_best_is_never_worse_than_pipeline_yaml(tmp_path):
    study, told = run(tmp_path / "trials", 1)
    assert searching.model_of(told[0]) == BASE
    study, _ = run(tmp_path / "trials", 11)
    assert searching.finished(study)[0].value <= 0.1
    assert [trial.number for trial in study.trials] == list(range(12))
    shares = searching.importances(study)
    assert sum(shares.values()) == pytest.approx(1)
    assert shares.keys() == study.trials[1].params.keys()


def test_equal_seeds_have_equal_trials(tmp_path):
    one, other = (run(tmp_path / name, 4)[0].trials for name in "ab")
    assert [t.params for t in one] == [t.params for t in other]
    assert one[1].params != run(tmp_path / "c", 2, seed=2)[0].trials[1].params


def test_a_loss_that_is_no_number_and_a_failure_never_win_nor_stop_the_search(tmp_path):
    losses = iter([math.nan, ValueError("too little memory"), math.inf, 0.5, 0.4])

    def objective(model, after_round):
        loss = next(losses)
        if isinstance(loss, Exception):
            raise loss
        return loss

    study, told = run(tmp_path / "trials", 5, objective)
    assert [trial.value for trial in searching.finished(study)] == [0.4, 0.5]
    assert searching.reason_of(told[1]) == "too little memory"
    assert len(told) == 5


def test_a_search_that_was_killed_goes_on_and_counts_nothing_twice(tmp_path):
    def killed(model, after_round):
        raise KeyboardInterrupt

    run(tmp_path / "trials", 2)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "trials", 1, killed)
    study, told = run(tmp_path / "trials", 2)
    assert [trial.number for trial in told] == [3, 4]
    assert len(searching.finished(study)) == 4
    assert not searching.finished(run(tmp_path / "trials", 0, name="other")[0])


def test_a_bad_trial_ends_early(tmp_path):
    def objective(model, after_round):
        steps.append(0)
        for step in range(6):
            after_round(step, 1.0 if len(steps) < 8 else 2.0)
            steps[-1] += 1
        return 1.0

    steps: list[int] = []
    _, told = run(tmp_path / "trials", 8, objective)
    assert told[-1].state.name == "PRUNED"
    assert steps[:7] == [6] * 7
    assert steps[7] < 6


def test_every_option_of_the_space_is_one_of_the_model():
    for rows in (500, 50_000, 1_000_000):
        trial = optuna.create_study().ask()
        model = suggest(trial, BASE, rows)
        assert model.seed == BASE.seed
        given = model.model_dump()
        for name in trial.params:
            section, _, key = name.rpartition(".")
            assert key in (given[section] if section else given)
