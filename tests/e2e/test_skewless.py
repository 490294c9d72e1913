"""A run and its model from Python, as in a notebook."""

import json
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

import skewless

pytestmark = pytest.mark.e2e

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "docs/notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def run(first, make_dataset, root):
    return skewless.run(make_dataset(), output=root)


def test_a_run_from_python_knows_what_it_made(run, root, csv):
    assert run.status in ("pushed", "unchanged")  # which tests ran before does not matter
    assert run.saved_model == str(root / "taxi" / "serving" / str(run.version))
    assert run.summary.version == run.version
    assert next(iter(run.metrics)) == "log_loss"
    lines = len(csv.read_text(encoding="utf-8").splitlines()) - 1
    split = [run.examples(split).num_rows for split in ("train", "eval", "test")]
    assert sum(split) == lines - run.summary.counts["records_rejected"]
    assert f"<th scope='row'>status</th><td>{run.status}</td>" in run._repr_html_()
    with pytest.raises(skewless.DataError, match="there is no split 'dev'"):
        run.examples("dev")


def test_runs_are_listed_and_compared(run, root):
    newest, *_ = skewless.runs("taxi", output=root)
    assert newest.metrics == run.metrics
    compared = skewless.compare(run, newest)
    assert compared.metrics is not None
    assert compared.metrics[0].verdict == "same"
    assert "configuration: no change" in str(compared)


def test_the_model_of_a_run_scores_frames_with_their_index(run, root):
    model = skewless.load(run)
    assert model.saved_model == skewless.load(root / "taxi").saved_model
    assert model.metrics == run.metrics | model.metrics
    assert model.card.startswith("# ")
    why = model.explain({"fare": 12.5})
    assert sum(each.adds[0] for each in why.contributions) == pytest.approx(
        why.value[0] - why.base[0], abs=1e-5
    )
    with pytest.raises(skewless.DataError, match="fair"):
        model.explain({"fair": 12.5})
    frame = run.examples("test").to_pandas().iloc[::-1]
    scores = model.predict(frame)
    assert scores.index.equals(frame.index)
    table = model.predict(run.examples("test")).to_pandas().iloc[::-1]
    assert scores["score"].tolist() == pytest.approx(table["score"].tolist(), rel=1e-6)


def test_a_run_that_fails_raises_what_the_command_says(make_dataset, root):
    folder = make_dataset(spec={"source": {"path": "nowhere.csv"}})
    with pytest.raises(skewless.DataError, match=r"nowhere\.csv"):
        skewless.run(folder, output=root)
    with pytest.raises(skewless.ConfigError, match="there is no dataset 'tax'"):
        skewless.run("tax", output=root)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run_from_top_to_bottom(path, first, make_dataset, root):
    given = {"dataset": str(make_dataset()), "output": str(root)}
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    shell = InteractiveShell()
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        done = shell.run_cell("".join(cell["source"]))
        done.raise_error()
        if "parameters" in cell["metadata"].get("tags", ()):
            assert given.keys() <= shell.user_ns.keys()
            shell.push(given)
    assert shell.user_ns["run"].status in ("pushed", "unchanged")
