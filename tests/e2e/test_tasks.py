"""A label of several classes and a numeric label, from rows to a pushed and proven model."""

import json
import math
import os
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import skewless
from scripts.example_tables import SPREAD
from tests.e2e.test_docs import Desk, Reader, blocks, furnish, require_tools

pytestmark = [pytest.mark.e2e, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = """
feature { name: "id" type: INT not_in_environment: "SERVING" }
feature { name: "answer" type: %s not_in_environment: "SERVING" }
feature { name: "weight" type: FLOAT not_in_environment: "SERVING" }
feature { name: "x" type: FLOAT }
feature { name: "color" type: BYTES }
default_environment: "TRAINING"
default_environment: "SERVING"
"""
PIPELINE = """
name: table
source: {path: rows.csv}
splits: {key: [id]}
label: %s
features: {x: [z_score, quantile_buckets], color: vocabulary}
validation: {max_rejected_fraction: 0.1}
evaluation: {slices: [color]}
model: {max_epochs: 40, batch_size: 64, deep: {learning_rate: 0.01}}
"""


def pushed(dataset, output):
    """Run a dataset's pipeline, which pushes a proven model; return the summary."""
    command = [sys.executable, "-m", "skewless", "run", str(dataset), "--output", str(output)]
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (summary,) = output.glob(f"{Path(dataset).name}/runs/*/summary.json")
    content = json.loads(summary.read_text())
    assert content["status"] == "pushed"
    assert content["parity"]["proven"]
    return content


def run(folder, label, column_type, answer, odd=()):
    """Run the pipeline on rows whose answer is a function of their values; return the summary.

    The rows from number 1 on have the odd answers instead.
    """
    rng = random.Random(7)
    rows = ["id,answer,weight,x,color"]
    for number in range(1500):
        x, color = rng.gauss(0, 1), rng.choice(["red", "green", ""])
        # some rows have no answer, and some no x
        text = "" if number % 50 == 0 else answer(x, color)
        text = odd[number - 1] if 0 < number <= len(odd) else text
        weight = (0, 0.5, 2)[number % 3]
        rows.append(f"{number},{text},{weight},{'' if number % 17 == 0 else f'{x:.4f}'},{color}")
    folder.mkdir()
    (folder / "rows.csv").write_text("\n".join(rows) + "\n")
    (folder / "schema.pbtxt").write_text(SCHEMA % column_type)
    (folder / "pipeline.yaml").write_text(PIPELINE % label)
    content = pushed(folder, folder / "runs")
    assert content["counts"]["rejected_by_reason"]["missing_label"] >= 30
    assert all(map(math.isfinite, content["training"]["loss"] + content["training"]["eval_loss"]))
    return content


def figures(evaluation):
    """Return every single figure of all models and slices of an evaluation."""
    measured = [evaluation["overall"], *evaluation["baselines"].values()]
    measured += [each["metrics"] for each in evaluation["worst_slices"]]
    return [f for metrics in measured for f in metrics.values() if not isinstance(f, list)]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """The folder of runs of the shipped datasets, and the summary of each, made when asked for."""
    output, made = tmp_path_factory.mktemp("shipped"), {}

    def run_of(name):
        if name not in made:
            made[name] = pushed(name, output / "runs")
        return made[name]

    return output, run_of


def test_the_shipped_tickets_reach_what_is_possible(shipped):
    _, run_of = shipped
    overall = run_of("support")["evaluation"]["overall"]
    assert overall["log_loss"] < 0.82 * 1.1
    assert overall["accuracy"] > 0.68 * 0.9


def test_the_shipped_deliveries_reach_what_is_possible(shipped):
    _, run_of = shipped
    overall = run_of("deliveries")["evaluation"]["overall"]
    assert overall["r2"] > 0.8
    assert overall["mape"] < 1.2 * math.sqrt(2 / math.pi) * SPREAD


@pytest.fixture
def server_of_both(shipped):
    """Serve both shipped datasets; return what the server printed, and its ports."""
    output, run_of = shipped
    for name in ("support", "deliveries"):
        run_of(name)
    page = ROOT / "docs/serving.md"
    (config,) = re.findall(r"cat > tasks.config <<'(\w+)'\n(.*?)\n\1", page.read_text(), re.DOTALL)
    (output / "tasks.config").write_text(config[1])
    command = [sys.executable, "-m", "pipeline.cli", "serve", "--config", "tasks.config"]
    process = subprocess.Popen(
        [*command, "--port", "0", "--grpc-port", "0"],
        cwd=output,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            printed = ""
            while "gRPC at" not in printed:
                line = process.stdout.readline()
                assert line, printed
                printed += line
            http = re.search(r"http://127\.0\.0\.1:(\d+)/v1", printed)
            grpc = re.search(r"gRPC at 127\.0\.0\.1:(\d+)", printed)
            assert http, printed
            assert grpc, printed
            yield printed, {"8501": http[1], "8500": grpc[1]}
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    assert process.returncode == 0


def test_the_documented_requests_of_each_task_are_answered(
    shipped, server_of_both, tmp_path, monkeypatch, capfd
):
    output, _ = shipped
    typed = list(blocks(ROOT / "docs/serving.md", "tasks"))
    require_tools(typed)
    (tmp_path / "runs").symlink_to(output / "runs")
    furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    reader = Reader(Desk(tmp_path, *server_of_both), monkeypatch, capfd)
    for block in typed:
        reader.follow(block)


def test_several_classes(tmp_path):
    def answer(x, color):
        return {"red": "10", "green": "Other" if x > 0 else "other"}.get(color, "a;b")

    # The row is in training: eval and test have no row of its class.
    content = run(tmp_path / "table", "{column: answer}", "BYTES", answer, odd=["rare"])

    assert content["counts"]["rejected_by_reason"] == {"missing_label": 30}
    evaluation = content["evaluation"]
    assert all(figure is None or math.isfinite(figure) for figure in figures(evaluation))
    assert [sum(of_class) for of_class in evaluation["overall"]["confusion"]].count(0) == 1
    assert evaluation["overall"]["accuracy"] > 0.9
    assert evaluation["overall"]["log_loss"] < evaluation["baselines"]["logistic"]["log_loss"]
    model = skewless.load(tmp_path / "table/runs/table")
    scored = model.predict({"x": [1.5, -1.5, None], "color": ["green", "green", "red"]})
    assert scored.column("class").to_pylist() == ["Other", "other", "10"]
    assert all(len(each) == 5 for each in scored.column("probabilities").to_pylist())
    (folder,) = (tmp_path / "table/runs/table/serving").glob("1")
    described = json.loads((folder / "model.json").read_text())
    assert sorted(described["classes"]) == ["10", "Other", "a;b", "other", "rare"]


def test_a_column_of_two_texts_with_weights_of_rows_and_classes(tmp_path):
    def answer(x, color):
        return "left" if x + (color == "red") > 1 else "stayed"

    label = "{task: binary, column: answer, weight: weight, class_weights: balanced}"
    content = run(tmp_path / "table", label, "BYTES", answer)

    assert content["evaluation"]["overall"]["auc"] > 0.9
    assert content["evaluation"]["weight"] == "weight"
    assert content["evaluation"]["objective"] == "auc"
    stayed, left = content["training"]["labels"]["class_weights"]
    assert stayed < 1 < left
    model = skewless.load(tmp_path / "table/runs/table")
    scored = model.predict({"x": [2.5, -2.5], "color": ["red", ""]})
    assert scored.column("class").to_pylist() == ["left", "stayed"]
    card = (tmp_path / "table/runs/table/serving/1/MODEL_CARD.md").read_text()
    assert "each row counts by its 'weight'; in training, all classes count the same" in card


def test_a_number_in_its_own_unit(tmp_path):
    def answer(x, color):
        return f"{math.exp(8 + x) * (2 if color == 'red' else 1):.2f}"

    label = "{column: answer, log1p: true}"
    odd = ["nan", "inf", "-inf", "1e39", "-0.0", "3"]
    content = run(tmp_path / "table", label, "FLOAT", answer, odd)

    assert content["counts"]["rejected_by_reason"] == {"missing_label": 31, "not_finite": 3}
    evaluation = content["evaluation"]
    assert evaluation["overall"]["r2"] > 0.8
    assert evaluation["overall"]["rmse"] < evaluation["baselines"]["linear"]["rmse"]
    model = skewless.load(tmp_path / "table/runs/table")
    scored = model.predict({"x": [1.0, 1.0], "color": ["green", "red"]})
    assert scored.column("prediction").to_pylist() == pytest.approx(
        [math.exp(9), 2 * math.exp(9)], rel=0.2
    )
