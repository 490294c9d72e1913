"""The public names of skewless exist, and a loaded model scores columns."""

import shutil

import numpy as np
import pyarrow as pa
import pytest

import skewless
from components.examples import iter_batches
from components.score.scorer import Scorer

pytestmark = pytest.mark.component


@pytest.fixture(scope="module")
def rows(exported):
    """Rows of the test split with the columns of requests."""
    batch = next(iter(iter_batches(exported.examples, "test")))
    return pa.Table.from_batches([batch]).select([c.name for c in exported.columns if c.serving])


@pytest.fixture(scope="module")
def expected(exported, rows):
    (batch,) = rows.to_batches()
    return pa.Table.from_batches([Scorer(exported.saved_model).score(batch)[0]])


@pytest.fixture(scope="module")
def model(exported):
    return skewless.load(exported.saved_model)


@pytest.mark.parametrize("name", skewless.__all__)
def test_every_name_is_there(name):
    assert getattr(skewless, name).__name__ == name


def test_a_model_says_what_it_takes_and_gives(model, exported):
    assert model.saved_model == exported.saved_model
    assert {c.name for c in model.inputs} == {c.name for c in exported.columns if c.serving}
    assert model.outputs.names[:2] == ["score", "class"]


def test_tables_batches_and_columns_are_scored_alike(model, rows, expected):
    assert model.predict(rows).equals(expected)
    assert model.predict(rows.to_batches()[0]).equals(expected)
    assert model.predict(rows.to_pydict()).equals(expected)
    in_chunks = pa.concat_tables([rows.slice(0, 7), rows.slice(7)])
    assert model.predict(in_chunks.append_column("id", [range(len(rows))])).equals(expected)


def test_columns_may_be_arrays(model, rows, expected):
    columns = rows.to_pydict()
    columns["Fare ($)"] = np.array([np.nan if v is None else v for v in columns["Fare ($)"]])
    whole = [v is not None for v in rows["Fare ($)"].to_pylist()]
    scores = model.predict(columns)
    assert any(whole)
    assert scores.filter(whole).equals(expected.filter(whole))


def test_no_rows_have_no_scores(model, rows):
    assert model.predict(rows.slice(0, 0)).equals(model.outputs.empty_table())


def test_more_rows_than_a_batch_stay_in_order(model, rows, expected, monkeypatch):
    monkeypatch.setattr("skewless.scoring._BATCH_ROWS", 7)
    scores = model.predict(rows)
    assert scores.num_rows == rows.num_rows
    np.testing.assert_allclose(scores["score"], expected["score"], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda columns: columns.pop("age"), "there are 0 columns 'age'"),
        (lambda columns: columns.update(age=["x"] * 2), "a value of 'age' does not fit INT"),
        (lambda columns: columns.update(age=[1, 2, 3]), "the columns differ in length"),
    ],
)
def test_columns_that_do_not_fit_are_named(model, rows, change, message):
    columns = rows.slice(0, 2).to_pydict()
    change(columns)
    with pytest.raises(skewless.DataError, match=message):
        model.predict(columns)


def test_the_newest_version_is_loaded_unless_one_is_named(exported, tmp_path):
    for version in ("1", "2", "10"):
        shutil.copytree(exported.saved_model, tmp_path / version)
    assert skewless.load(tmp_path).saved_model == str(tmp_path / "10")
    assert skewless.load(tmp_path, version=2).saved_model == str(tmp_path / "2")
    with pytest.raises(skewless.ConfigError, match="there is no version 3"):
        skewless.load(tmp_path, version=3)
    with pytest.raises(skewless.ConfigError, match="there is no folder"):
        skewless.load(tmp_path / "gone")
