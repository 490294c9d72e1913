"""Several processes train one model: each has its rows, and the result is that of one process."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from itertools import zip_longest

import numpy as np
import pytest

from components.train import launch as launching
from components.train.history import History
from components.train.inputs import Feed
from components.train.launch import launch
from components.train.model import MODEL_FILE, load
from components.train.train import train
from components.train.work import TrainingJob
from schemas.model import Model
from schemas.tasks.binary import Binary
from tests.component.train.conftest import write_table

TASK = Binary.model_validate({"name": "y", "equals": {"column": "answer", "values": [1]}})
MODEL = Model.model_validate(
    {
        "members": 2,
        "hidden_units": [8],
        "embedding_dim": 2,
        "batch_size": 32,
        "clip_norm": 0.3,
        "max_epochs": 12,
        "patience": 12,
        "checkpoints": {"minutes": None, "steps": 1},
    }
)


@pytest.mark.parametrize(("rows", "kept"), [(400, 400), (396, 396), (386, 384)])
def test_each_process_has_its_rows_of_each_batch(tmp_path, rows, kept):
    """Batches of 32 rows for 3 processes are of 33; what cannot be shared by all is left out."""
    table = write_table(tmp_path, rows=rows)
    size = 32
    whole = Feed(table.examples, "train", table.layout, batch_size=size, seed=1)
    shares = [
        Feed(table.examples, "train", table.layout, batch_size=size, seed=1, share=(i, 4))
        for i in range(4)
    ]
    assert {each.rows for each in shares} == {kept}
    assert {each.batches for each in shares} == {-(-kept // size)}
    for _ in range(2):  # another order each epoch
        batches = [list(each.dataset()) for each in (whole, *shares)]
        for batch, *parts in zip_longest(*batches):
            if len(batch[1]) < 4:
                assert parts == [None] * 4
                continue
            together = np.concatenate([x["dense"] for x, _ in parts])
            assert min(len(y) for _, y in parts) >= len(batch[1]) // 4
            np.testing.assert_array_equal(np.sort(together, 0), np.sort(batch[0]["dense"], 0))


@pytest.mark.long
def test_two_processes_train_as_one_does_though_one_of_them_is_killed(table, tmp_path, monkeypatch):
    outputs = [tmp_path / name for name in ("one", "two")]
    for output in outputs:
        output.mkdir()
    train(
        examples=table.examples, graph=table.graph, task=TASK, model=MODEL, output=str(outputs[0])
    )
    checkpoint, started = tmp_path / "state.npz", []
    start = launching._started

    def recorded(*args, **kwargs):
        started.append(start(*args, **kwargs))
        return started[-1]

    def kill():
        while not checkpoint.exists():
            time.sleep(0.005)
        os.kill(started[1].pid, signal.SIGKILL)

    monkeypatch.setattr(launching, "_started", recorded)
    threading.Thread(target=kill, daemon=True).start()
    job = TrainingJob(
        examples=table.examples,
        graph=table.graph,
        task=TASK.model_dump_json(),
        model=MODEL,
        output=str(outputs[1]),
        checkpoint=str(checkpoint),
    )
    launch(job, 2)
    assert [type(each) for each in started] == [subprocess.Popen] * 4
    assert started[1].returncode == -signal.SIGKILL
    one, two = (History.read(str(output)) for output in outputs)
    assert one is not None
    assert two is not None
    assert len(two.folds[0].rounds) == len(one.folds[0].rounds) == MODEL.max_epochs
    for a, b in zip(one.folds[0].rounds, two.folds[0].rounds, strict=True):
        assert (a.loss, a.eval_loss) == pytest.approx((b.loss, b.eval_loss), abs=1e-4)
        assert a.step == b.step
        assert a.learning_rate == pytest.approx(b.learning_rate)
    models = [load(str(output / MODEL_FILE)) for output in outputs]
    for a, b in zip(*(model.trainable_variables for model in models), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=1e-3, err_msg=a.path)
