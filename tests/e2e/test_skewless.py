"""A run and its model from Python, as in a notebook."""

import pytest

import skewless

pytestmark = pytest.mark.e2e


def test_a_run_from_python_returns_the_model_that_is_served(first, make_dataset, root):
    summary = skewless.run(make_dataset(), output=root)
    assert summary.status in ("pushed", "unchanged")  # which tests ran before does not matter
    assert summary.model == str(root / "taxi" / "serving" / str(summary.version))
    model = skewless.load(root / "taxi")
    assert model.saved_model == summary.model
    rows = {column.name: [None] for column in model.inputs} | {"fare": [12.5]}
    (score,) = model.predict(rows)["score"].to_pylist()
    assert 0 < score < 1


def test_a_run_that_fails_raises_what_the_command_says(make_dataset, root):
    folder = make_dataset(spec={"source": {"path": "nowhere.csv"}})
    with pytest.raises(skewless.DataError, match=r"nowhere\.csv"):
        skewless.run(folder, output=root)
    with pytest.raises(skewless.ConfigError, match="there is no dataset 'tax'"):
        skewless.run("tax", output=root)
