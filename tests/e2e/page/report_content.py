"""The content of a run's report with hostile names, of a task with classes or with numbers."""

from __future__ import annotations

from typing import Any

HOSTILE = "</script><img src=x onerror=alert(1)>"
CLASSES = ["red", HOSTILE, "blue"]
ORDER = (
    *("verdict", "changes", "stages", "data", "columns", "training"),
    *("metrics", "slices", "why", "proof", "reproduce"),
)


def content(task: str) -> dict[str, Any]:
    """Return the content of a report; cards that do not depend on the task are short."""
    known = {
        "verdict": verdict(),
        "stages": stages(),
        "metrics": metrics(task),
        "slices": slices(),
        "why": why(task),
    }
    cards = [
        {"id": name, "title": name.title(), **known.get(name, {"missing": f"No {HOSTILE}."})}
        for name in ORDER
    ]
    return {"pipeline": HOSTILE, "run": "1", "started": "2026-12-01T10:00:00+00:00", "cards": cards}


def verdict() -> dict[str, Any]:
    error = {"what": HOSTILE, "where": "a.csv:7", "expected": "numbers", "remedy": "mend it"}
    return {
        "status": "failed",
        "tone": "bad",
        "headline": f"The run failed {HOSTILE}",
        "sentences": [],
        "reasons": [HOSTILE],
        "error": error,
        "next": [{"text": "Run again:", "command": f"skewless run '{HOSTILE}'"}],
        "facts": [["log-loss", None, "number"], ["rows read", 10, "count"]],
    }


def stages() -> dict[str, Any]:
    one: dict[str, Any] = {"seconds": 1.0, "rows": 0, "rate": None, "memory": None, "after": []}
    return {
        "seconds": 3.0,
        "stages": [
            {**one, "name": "imports", "state": "done", "started": 0.0, "rank": None},
            {**one, "name": HOSTILE, "state": "cached", "started": None, "rank": 0},
            {**one, "name": "b", "state": "failed", "started": 1.0, "rank": 1, "after": [HOSTILE]},
            {**one, "name": "c", "state": "waiting", "started": None, "rank": 0},
        ],
    }


def metrics(task: str) -> dict[str, Any]:
    objective = "log_loss" if task == "multiclass" else "rmse"
    model = {"name": "model", "title": "this model", "metrics": {objective: 0.5}}
    curve = {
        "positives": 10,
        "negatives": 20,
        "thresholds": [0.9, 0.5, 0.1],
        "true": [4, 8, 10],
        "false": [1, 6, 20],
    }
    drawn: dict[str, Any] = {"models": {}, "histograms": [], "numbers": None}
    if task == "multiclass":
        drawn["models"]["model"] = [{"index": i, **curve} for i in range(3)]
        drawn["histograms"] = [
            {"index": i, "edges": [0, 0.5, 1], "yes": [1, 9], "no": [15, 5]} for i in range(3)
        ]
    else:
        drawn["numbers"] = {
            "points": [[1.0, 1.5], [2.0, 1.0]],
            "residuals": {"edges": [-1.0, 0.0, 1.0], "counts": [3, 4]},
            "tenths": [
                {"prediction": x, "rows": 7, "q5": -1, "q25": -0.5, "median": 0, "q75": 1, "q95": 2}
                for x in (1.0, 2.0)
            ],
        }
    cell = {"rows": 10, "score": 0.4, "share": 0.5, "low": 0.3, "high": 0.7}
    several = task == "multiclass"
    return {
        "task": task,
        "label": HOSTILE,
        "objective": objective,
        "split": "test",
        "rows": 30,
        "weight": HOSTILE,
        "coverage": 0.9,
        "wanted_coverage": 0.9,
        "metrics": [{"name": objective, "title": HOSTILE, "better": "lower", "meaning": HOSTILE}],
        "models": [{**model, "intervals": {objective: [0.4, 0.6]}, "gains": {}}],
        "bounds": {},
        "decision": None,
        "classes": CLASSES if several else ["0", "1"],
        "confusion": [[8, 1, 1], [0, 10, 0], [2, 2, 6]] if several else None,
        "reliability": [[cell]] * 3 if several else [],
        "uncalibrated": [[cell]] * 3 if several else None,
        "curves": drawn,
    }


def slices() -> dict[str, Any]:
    one: dict[str, Any] = {"column": HOSTILE, "interval": [0.5, 0.9]}
    return {
        "objective": "log_loss",
        "better": "lower",
        "least": 5,
        "metrics": [{"name": "log_loss", "title": "log-loss", "better": "lower"}],
        "overall": {"log_loss": 0.5},
        "rows": 30,
        "left_out": 2,
        "slices": [
            {**one, "value": "a", "rows": 20, "metrics": {"log_loss": 0.7}},
            {**one, "value": "b", "rows": 9, "metrics": {"log_loss": 0.3}},
            {**one, "value": "", "rows": 1, "metrics": {"log_loss": None}, "interval": None},
        ],
    }


def why(task: str) -> dict[str, Any]:
    several = task == "multiclass"

    def point(value: Any, mean: float) -> dict[str, Any]:
        figures = {"mean": mean, "low": mean - 0.1, "high": mean + 0.1}
        listed = {name: [each] * 3 for name, each in figures.items()}
        return {"value": value, "share": 0.5, **(listed if several else figures)}

    times = [point("2026-01-01T00:00:00Z", 0.5), point("2026-02-01", 0.7), point(None, 0.6)]
    drop = {"drop": 0.1, "low": 0.05, "high": 0.15}
    both: dict[str, Any] = {"train": {"drop": 0.4, "low": 0.3, "high": 0.5}, "eval": drop}
    return {
        "importance": {
            "metric": "log_loss",
            "split": "eval",
            "rows": 30,
            "repeats": 5,
            "columns": [
                {"columns": [HOSTILE, "b"], "features": ["x"], **drop, "splits": both},
                {"columns": ["c"], "features": ["y"], **drop, "splits": {}},
            ],
        },
        "dependence": [
            {"column": "n", "type": "number", "points": [point(1.0, 0.5), point(2.0, 0.6)]},
            {"column": "t", "type": "time", "points": times},
            {"column": HOSTILE, "type": "category", "points": [point("a", 0.5), point("b", 0.6)]},
        ],
        "unhelpful": {"columns": [{"columns": [HOSTILE], "drop": 0.0}], "together": drop},
        "leaks": [
            {"column": HOSTILE, "measure": "auc", "alone": 0.99, "model": 0.995, "says": HOSTILE}
        ],
    }


def comparison() -> dict[str, Any]:
    """Return the content of a page that compares two runs."""
    change: dict[str, Any] = {
        "name": "auc",
        "title": HOSTILE,
        "better": "higher",
        "before": 0.5,
        "after": 0.6,
    }
    moved: dict[str, Any] = {"column": HOSTILE, "measure": "L_INFTY", "value": 0.2, "chance": 0.1}
    rows = {"read": 10, "rejected": 0, "train": 7}
    one: dict[str, Any] = {
        "pipeline": HOSTILE,
        "before": "1",
        "after": "2",
        "version": None,
        "settings": [{"key": "model.epochs", "before": HOSTILE, "after": None}],
        "schema_lines": [f"+{HOSTILE}"],
        "code_lines": [],
        "metrics": [{**change, "verdict": "better"}],
        "slices": [
            {
                "column": HOSTILE,
                "value": "",
                "examples": [5, 6],
                "change": {**change, "verdict": "better"},
            }
        ],
        "columns": [moved],
        "scores": [[1, i / 10, i / 12] for i in range(12)],
        "rows": [rows, rows],
        "intervals": {"before": {}, "after": {"auc": [0.5, 0.7]}, "gains": {"auc": [0.05, 0.15]}},
    }
    return {"first": {"run": "1", "pipeline": HOSTILE}, "comparisons": [one]}


def listed() -> dict[str, Any]:
    """Return the content of a page that lists runs."""
    one = {
        "pipeline": HOSTILE,
        "folder": "x",
        "started": "2026-12-01T10:00:00+00:00",
        "status": "pushed",
        "rows": 100,
        "seconds": 10.0,
        "version": 1,
        "problem": None,
        "report": "x/report.html",
        "better": "lower",
    }
    unknown: dict[str, Any] = dict.fromkeys(("rows", "seconds", "version", "report", "better"))
    runs = [
        {**one, "run_id": "3", "metrics": {"log_loss": 0.4}},
        {**one, **unknown, "run_id": "2", "status": "killed", "metrics": {}},
        {**one, "run_id": "1", "metrics": {"log_loss": 0.5}, "rows": 90, "seconds": 9.0},
    ]
    return {"place": HOSTILE, "runs": runs}
