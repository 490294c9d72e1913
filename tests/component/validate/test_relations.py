"""Relations of columns to the label, from examples, in the pass of the statistics."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from components.validate import relating, statistics
from components.validate.relations import Relations
from schemas.columns import parse_schema
from schemas.splits.options import FOLD
from schemas.tasks.binary import Binary, Equals
from schemas.tasks.options import TaskOptions
from schemas.tasks.regression import Regression

pytestmark = pytest.mark.component

ROWS = 300
RANDOM = np.random.default_rng(11)
FARE = RANDOM.exponential(10, ROWS).astype(np.float32)
TRAIN = {
    "fare": pa.array(FARE),
    "hour": pa.array(RANDOM.integers(0, 24, ROWS), mask=RANDOM.random(ROWS) < 0.2),
    "payment": pa.array(np.where(FARE > 8, "Credit Card", "Cash")),
    "tips": pa.array((FARE * 2).astype(np.float32)),
    FOLD: pa.array(np.arange(ROWS) % 5),  # no column of the data
}


@pytest.fixture
def related(
    examples_of: Callable[..., str], schema_text: str, tmp_path: Path
) -> Callable[..., Relations]:
    """Measure examples in batches of some rows."""

    def measure(label: TaskOptions, batch_rows: int = ROWS) -> Relations:
        schema = parse_schema(schema_text, where="schema.pbtxt")
        examples = examples_of(batch_rows=batch_rows, train=TRAIN)
        output = str(tmp_path / f"statistics-{batch_rows}")
        statistics.generate(examples=examples, schema=schema, output=output, label=label)
        relations = Relations.read(output)
        assert relations is not None
        return relations

    return measure


def test_each_bin_has_the_share_of_its_rows(related: Callable[..., Relations]) -> None:
    equals = Equals(column="payment", values=("Credit Card",))
    relations = related(Binary(name="card", equals=equals))
    by_name = {each.column: each for each in relations.columns}
    assert list(by_name) == ["fare", "hour", "payment", "tips"]
    assert relations.classes == ("1",)
    card = FARE > 8
    for each in by_name["fare"].bins:
        assert each.low is not None
        assert each.high is not None
        last = each is by_name["fare"].bins[-1]
        inside = (each.low <= FARE) & ((each.high > FARE) | last)
        assert each.rows == inside.sum()
        assert each.estimates[0].value == pytest.approx(card[inside].mean(), rel=1e-5)
    hours = by_name["hour"].bins
    assert [each.kind for each in hours[-2:]] == ["rest", "missing"]
    assert hours[-1].rows == TRAIN["hour"].null_count
    assert by_name["payment"].strength == pytest.approx(1)
    assert by_name["fare"].strength > 0.8 > 0.1 > by_name["hour"].strength
    assert relations.splits["train"].estimates[0].value == pytest.approx(card.mean(), rel=1e-5)
    assert [relations.splits[split].rows for split in ("train", "eval", "test")] == [ROWS, 4, 4]
    assert relations.correlations.columns == ("fare", "tips")
    assert relations.correlations.matrix[0][1] == pytest.approx(1)


def test_all_batches_count_and_the_first_rows_decide_the_bins(
    related: Callable[..., Relations], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relating, "_SAMPLE", 150)
    relations = related(Regression(name="tips", column="tips"), batch_rows=100)
    assert relations.sample == 150
    fare = next(each for each in relations.columns if each.column == "fare")
    assert fare.bins[0].low == FARE[:150].min()
    for each in relations.columns:
        assert sum(one.rows for one in each.bins) == ROWS
    mean = relations.splits["train"].estimates[0].value
    assert mean == pytest.approx(float((FARE * 2).mean()), rel=1e-5)
