"""A run's folder in a store, where it cannot be: said before anything starts."""

import pytest

from components import stores
from pipeline import engines
from pipeline.runners import choose
from schemas.errors import ConfigError
from schemas.runners import Runner

POOL = "workers.pool.address=localhost:1"


@pytest.mark.parametrize(
    ("runner", "settings", "store"),
    [
        ("direct", (), "s3://bucket/runs"),
        ("flink", (), "s3://bucket/runs"),  # workers in this process
        ("flink", (POOL,), "gs://bucket/runs"),
    ],
)
def test_tensorflow_can_write_or_need_not(runner, settings, store, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(stores, "check_writable", asked.append)
    engines.check_store(choose(Runner(), runner, settings), store)
    assert asked == [store]


def test_workers_elsewhere_cannot_write_to_s3():
    choice = choose(Runner(), "flink", (POOL,))
    with pytest.raises(ConfigError, match="TensorFlow on the workers cannot write") as error:
        engines.check_store(choice, "s3://bucket/runs")
    assert error.value.where == "s3://bucket/runs"
    assert "--output" in (error.value.remedy or "")
