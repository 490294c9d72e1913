"""Prometheus metrics of exchanges and batches, and of the values of columns."""

import platform
import time
from types import SimpleNamespace

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from components.serve import metrics as module
from components.serve.column_counts import MOST_ROWS, ColumnCounts, Columns
from components.serve.messages import Exchange
from components.serve.metrics import ServerMetrics
from schemas.description import Input, SignatureDescription
from tests.described import described

INPUTS = (
    Input(name="fare", kind="FLOAT", required=True, minimum=0, maximum=100),
    Input(name="hour", kind="INT", required=True, known=("1", "2"), minimum=0),
    Input(name="company", kind="BYTES", required=False, known=("Crédit", "Taxi")),
    Input(name="payment", kind="BYTES", required=True, values=("Cash",)),
)
DESCRIPTION = described(
    inputs=INPUTS,
    signatures=(
        SignatureDescription(name="raw_columns", takes="raw columns", outputs=()),
        SignatureDescription(name="regression", takes="serialised tf.Examples", outputs=()),
    ),
)
ARRAYS = {
    "fare": np.array([1, -1, np.nan], np.float32),
    "hour": np.array([1, 3, np.nan], np.float64),
    "company": np.array(["Crédit".encode(), b"", b"Other"], object),
    "payment": np.array([b"Cash", b"cash", b""], object),
}


def exchange(status=200, version=1, inputs=None, **changes):
    values = {"protocol": "rest", "method": "predict", "model": "taxi", "rows": 3}
    return Exchange(
        **{**values, **changes},
        version=version,
        signature="raw_columns",
        status=status,
        seconds=0.002,
        inputs=inputs,
    )


def samples(metrics):
    """Return every sample's value by name and sorted labels."""
    return {
        (s.name, tuple(sorted(s.labels.items()))): s.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for s in family.samples
    }


def value(metrics, name, **labels):
    return samples(metrics)[f"skewless_{name}", tuple(sorted(labels.items()))]


@pytest.fixture
def metrics():
    made = ServerMetrics()
    yield made
    made.close()


@pytest.fixture
def models():
    """The `Models` of two versions, one of which has a description."""
    waiting = SimpleNamespace(requests_waiting=2, rows_waiting=32)
    described = DESCRIPTION.model_dump_json().encode()
    return SimpleNamespace(
        configs={"taxi": None},
        statuses=lambda name: {
            2: SimpleNamespace(state="LOADING"),
            1: SimpleNamespace(state="AVAILABLE"),
        },
        loaded=[
            SimpleNamespace(name="taxi", version=1, description=described, batcher=waiting),
            SimpleNamespace(name="taxi", version=7, description=b"{}", batcher=waiting),
        ],
    )


def test_requests_are_counted_by_what_they_were(metrics):
    for _ in range(3):
        metrics.answered(exchange())
    metrics.answered(exchange(status=400, version=None, model="", rows=0, protocol="grpc"))
    fine = {"protocol": "rest", "method": "predict", "model": "taxi", "version": "1"}
    assert value(metrics, "request_seconds_count", **fine, status="200") == 3
    assert value(metrics, "request_seconds_bucket", **fine, status="200", le="0.0025") == 3
    assert value(metrics, "request_seconds_bucket", **fine, status="200", le="0.001") == 0
    assert value(metrics, "request_rows_total", **fine, status="200") == 9
    wrong = {"protocol": "grpc", "method": "predict", "model": "", "version": "", "status": "400"}
    assert value(metrics, "request_errors_total", **wrong) == 1
    assert (
        "skewless_request_errors_total",
        tuple(sorted({**fine, "status": "200"}.items())),
    ) not in (samples(metrics))


def test_batches_are_measured(metrics):
    metrics.on_batch(48, 3, 0.004)
    metrics.on_batch(1, 1, 0.001)
    assert value(metrics, "batch_rows_sum") == 49
    assert value(metrics, "batch_requests_sum") == 4
    assert value(metrics, "batch_seconds_sum") == pytest.approx(0.005)


def test_queues_and_versions_are_read_on_each_scrape(metrics, models):
    metrics.watch(models)
    assert value(metrics, "queue_requests", model="taxi", version="1") == 2
    assert value(metrics, "queue_rows", model="taxi", version="1") == 32
    assert value(metrics, "version_state", model="taxi", version="1", state="AVAILABLE") == 1
    assert value(metrics, "version_state", model="taxi", version="2", state="LOADING") == 1


def test_columns_of_requests_are_counted(metrics, models):
    metrics.watch(models)
    metrics.answered(exchange(inputs=ARRAYS))
    metrics.close()
    company = {"model": "taxi", "version": "1", "column": "company"}
    assert value(metrics, "column_values_total", **company) == 3
    assert value(metrics, "column_missing_total", **company) == 1
    assert value(metrics, "column_out_of_vocabulary_total", **company) == 1
    assert value(metrics, "column_out_of_domain_total", **{**company, "column": "fare"}) == 1
    names = {name for name, labels in samples(metrics) if ("column", "fare") in labels}
    assert "skewless_column_out_of_vocabulary_total" not in names  # it has no vocabulary


def test_a_version_without_a_readable_description_is_still_served(metrics, models, caplog):
    metrics.watch(models)
    metrics.answered(exchange(version=7, inputs=ARRAYS))
    metrics.close()
    assert "are not counted" in caplog.text
    assert not [name for name, labels in samples(metrics) if ("column", "fare") in labels]


def test_so_many_requests_a_second_are_looked_at_and_no_more(metrics, models, monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    metrics.watch(models)
    for _ in range(10):
        metrics.answered(exchange(inputs=ARRAYS))
    metrics.close()
    labels = {"model": "taxi", "version": "1", "column": "fare"}
    assert value(metrics, "column_values_total", **labels) == 3


def test_series_are_bounded(metrics, monkeypatch):
    monkeypatch.setattr(module, "_MOST_SERIES", 5)
    for version in range(50):
        metrics.answered(exchange(version=version))
    versions = {text for _, labels in samples(metrics) for key, text in labels if key == "version"}
    assert versions - {platform.python_version()} == {"0", "1", "2", "3", "4", "other"}


def test_logs_report_their_state(metrics):
    metrics.watch_log("request", SimpleNamespace(written=5, dropped=2, failed=1, failing=True))
    assert value(metrics, "log_entries_total", log="request", outcome="dropped") == 2
    assert value(metrics, "log_failing", log="request") == 1


def test_two_servers_of_one_process_do_not_mix(metrics):
    other = ServerMetrics()
    other.answered(exchange())
    other.close()
    assert not [name for name, _ in samples(metrics) if name == "skewless_request_seconds_count"]


def test_the_process_is_measured(metrics):
    assert ("process_resident_memory_bytes", ()) in samples(metrics)


def test_counts_of_columns():
    assert Columns(DESCRIPTION).counts("raw_columns", {**ARRAYS, "extra": np.zeros(3)}) == {
        "fare": ColumnCounts(3, 1, None, 1),
        "hour": ColumnCounts(3, 1, 1, 0),
        "company": ColumnCounts(3, 1, 1, None),
        "payment": ColumnCounts(3, 1, None, 1),
    }


def test_of_a_large_request_the_first_rows_are_counted():
    inputs = {"fare": np.full(MOST_ROWS + 5, 1_000, np.float32)}
    counted = Columns(DESCRIPTION).counts("raw_columns", inputs)
    assert counted["fare"] == ColumnCounts(MOST_ROWS, 0, None, MOST_ROWS)
