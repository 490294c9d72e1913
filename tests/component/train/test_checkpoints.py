"""Checkpoints: a training that was killed ends with the same model as one that was not."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from components import progress
from components.tasks.protocol import Head
from components.train import fit as fitting
from components.train.checkpoints import CheckpointFile
from components.train.inputs import Feed
from components.train.rounds import Rounds
from schemas.model import Model

OPTIONS = {
    "members": 2,
    "hidden_units": [8],
    "embedding_dim": 2,
    "dropout": 0.1,
    "batch_size": 3,  # 134 batches: the steps of a round, 144, are not those of an epoch
    "max_epochs": 9,
    "patience": 3,
    "checkpoints": {"minutes": None, "steps": 1},
}
HEAD = Head(
    start=(0.0,), loss=keras.losses.BinaryCrossentropy(from_logits=True), link="sigmoid", labels={}
)


class Killed(BaseException):
    """Ends a training as a signal does: nothing is cleared up."""


def fit(table, checkpoint=None, **options):
    model = Model.model_validate(OPTIONS | options)
    size = model.batch_size or 1
    feeds = (
        Feed(table.examples, split, table.layout, batch_size=size, seed=seed)
        for split, seed in (("train", model.seed), ("eval", None))
    )
    made = fitting.fit_wide_deep(table.layout, model, HEAD, *feeds, checkpoint=checkpoint)
    served, fit, _ = made
    return [v.numpy() for v in served.variables], fit


def kill_after(monkeypatch, calls):
    """Let the training of a later call of `fit` be killed after so many calls of TensorFlow."""

    class Kill(Rounds):
        def on_train_batch_end(self, batch, logs=None):
            self.seen = getattr(self, "seen", 0) + 1
            if self.seen > calls:
                raise Killed

    monkeypatch.setattr(fitting, "Rounds", Kill)


def remarks(caplog):
    events = [record.event for record in caplog.records if hasattr(record, "event")]
    return [e.values["remark"] for e in events if e.kind == "remark"]


@pytest.fixture(scope="module")
def whole(table):
    """A training that nothing interrupts."""
    return fit(table)


def check_equal(got, whole):
    weights, done = got
    for value, expected in zip(weights, whole[0], strict=True):
        np.testing.assert_array_equal(value, expected)
    assert (done.loss, done.eval_loss) == (whole[1].loss, whole[1].eval_loss)
    assert done.best_epoch == whole[1].best_epoch


@pytest.mark.parametrize(
    "kills", [1, pytest.param(10, marks=pytest.mark.long)], ids=["one kill", "ten kills"]
)
def test_a_killed_training_goes_on_to_the_same_model(
    table, whole, tmp_path, monkeypatch, caplog, kills
):
    """144 steps of a round are nine calls: one kill is in the third round, ten are anywhere."""
    caplog.set_level("INFO", progress.LOGGER.name)
    checkpoint, numbers = CheckpointFile(str(tmp_path / "state.npz")), random.Random(5)
    for _ in range(kills):
        with monkeypatch.context() as patch:
            kill_after(patch, 20 if kills == 1 else numbers.randrange(12))
            with pytest.raises(Killed):
                fit(table, checkpoint)
    check_equal(fit(table, checkpoint), whole)
    if kills == 1:
        check_equal(fit(table, checkpoint), whole)  # killed after its end: no further step
        assert remarks(caplog)[0] == "training goes on after round 2, step 288"


def test_a_damaged_checkpoint_is_not_used(tmp_path, caplog):
    caplog.set_level("INFO", progress.LOGGER.name)
    path = tmp_path / "state.npz"
    path.write_bytes(b"PK\x03\x04 cut off")
    assert CheckpointFile(str(path)).read() is None
    assert remarks(caplog) == ["the checkpoint is damaged; training starts again"]


_TRAIN = """
import sys
from components import lean_imports
lean_imports.load(lean_imports.TENSORFLOW)
from components.train.checkpoints import CheckpointFile
from tests.component.train.conftest import LAYOUT, Table
from tests.component.train.test_checkpoints import fit
fit(Table(sys.argv[1], "", LAYOUT), CheckpointFile(sys.argv[2]))
"""


@pytest.mark.long
def test_a_process_that_was_killed_is_continued_by_another(table, whole, tmp_path):
    path = tmp_path / "state.npz"
    process = subprocess.Popen([sys.executable, "-c", _TRAIN, table.examples, str(path)])
    while not path.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    check_equal(fit(table, CheckpointFile(str(path))), whole)


def test_checkpoints_of_other_options_are_removed(tmp_path):
    CheckpointFile.of(str(tmp_path), "a1").write({"x": np.ones(2)})
    kept = CheckpointFile.of(str(tmp_path), "a1")
    np.testing.assert_array_equal((kept.read() or {})["x"], np.ones(2))
    assert CheckpointFile.of(str(tmp_path), "b2").read() is None
    assert os.listdir(tmp_path) == []
