"""An objective trains models on the same examples, and reports each round."""

from __future__ import annotations

import numpy as np
import pytest

from components.train.train import train
from components.tune.objective import Objective
from schemas.errors import ModelError
from schemas.model import Model
from schemas.tasks.binary import Binary
from tests.component.train.conftest import write_table

pytestmark = pytest.mark.component

TASK = Binary.model_validate({"name": "y", "equals": {"column": "answer", "values": [1]}})
SMALL = {"hidden_units": [4], "members": 2, "batch_size": 64, "max_epochs": 2}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_table(tmp_path_factory.mktemp("table"))


def test_the_loss_is_about_the_one_of_a_run_with_these_options(table, tmp_path):
    model, reported = Model.model_validate(SMALL), []
    objective = Objective(table.examples, table.graph, TASK, {})
    loss = objective(model, lambda *round_: reported.append(round_))
    trained = train(
        examples=table.examples, graph=table.graph, task=TASK, model=model, output=str(tmp_path)
    )
    assert loss == pytest.approx(min(trained.eval_loss), rel=0.02)  # in another order of the rows
    assert [number for number, _ in reported] == [1, 2]
    assert loss == min(loss for _, loss in reported)
    assert objective.rows == 400


def test_a_training_that_diverges_has_no_loss(table):
    diverging = SMALL | {"deep": {"learning_rate": 1e30, "warm_up": 0}, "averaging": 0}
    objective = Objective(table.examples, table.graph, TASK, {})
    with np.errstate(all="ignore"), pytest.raises(ModelError, match="the loss on eval became"):
        objective(Model.model_validate(diverging), lambda *_: None)
