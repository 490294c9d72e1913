"""Sections of pipeline.yaml that fit the tiny run, and verdicts on it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.evaluate.report import Report, SliceMetrics
from components.parity.proof import PathResult, Proof, QuestionResult
from schemas.expectations import Expectation, Expectations
from schemas.tasks.binary import BinaryExport
from tests.preprocessing import sections_of

EXPECTATIONS = Expectations(
    columns=(
        Expectation(name="age", required=True, minimum=1, maximum=8, description="In years."),
        Expectation(name="naïve", values=("Cash", "Crédit")),
    )
)


@dataclass(frozen=True)
class Judged:
    """Folders with metrics.json, parity.json and training.json, and sections of pipeline.yaml."""

    evaluation: str
    proof: str
    trained: str
    features: str
    answers: BinaryExport
    expectations: Expectations = EXPECTATIONS


@pytest.fixture
def judged(exported, tmp_path: Path) -> Judged:
    """The outputs of evaluate, parity and train."""
    evaluation, proof, trained = (tmp_path / n for n in ("evaluation", "proof", "trained"))
    for folder in (evaluation, proof, trained):
        folder.mkdir()
    _report().write(str(evaluation))
    Proof(
        proven=True,
        real_rows=40,
        adversarial_rows=2,
        relative_tolerance=1e-6,
        real_by_split={"test": 40},
        serving_paths=(
            PathResult(
                name="C API",
                cannot_carry="nothing",
                questions=1,
                failed=0,
                rows=42,
                refused=0,
                values=210,
                differing=0,
                largest=1e-7,
            ),
        ),
        questions=(
            QuestionResult(
                serving_path="C API", question="predict", rows=42, values=210, differing=0
            ),
        ),
        failures=(),
        differences=(),
    ).write(str(proof))
    for name in ("layout.json", "training.json"):
        shutil.copy(os.path.join(exported.trained, name), trained)
    features = sections_of(
        {"age": ["z_score", "vocabulary"]},
        [{"columns": ["naïve", "a b"], "buckets": 16}],
        exported.label.model_dump(),
    )
    answers = BinaryExport(classes=("no", "yes"), warnings=True)
    return Judged(str(evaluation), str(proof), str(trained), features, answers)


def _report() -> Report:
    metrics = {
        "examples": 40,
        "positives": 10,
        "base_rate": 0.25,
        "mean_score": 0.25,
        "calibration_ratio": 1.0,
        "auc": 0.9,
        "auc_error": 0.0,
        "pr_auc": None,
        "pr_auc_error": None,
        "log_loss": 0.2,
        "accuracy": 0.9,
        "calibration_error": 0.01,
    }
    part = {**metrics, "examples": 7}
    return Report(
        label="big_tip",
        split="test",
        blessed=True,
        reasons=(),
        overall=metrics,
        baselines={"base_rate": metrics, "logistic": part},
        last_blessed=None,
        slices=(SliceMetrics(column="naïve", value="Cash", kind="value", metrics=part),),
        worst_slices=(),
        min_slice_examples=5,
    )
