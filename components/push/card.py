"""`model.json` as a page for people: MODEL_CARD.md.

Goes in: a `Description`, and nothing else. Comes out: Markdown (GitHub's), in which no text from
the data can be anything but text.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Sequence

from schemas.description import Description, Input, Output, Slice

_METRICS = {
    "auc": "AUC",
    "pr_auc": "PR AUC",
    "log_loss": "log-loss",
    "accuracy": "accuracy",
    "calibration_error": "calibration error",
    "base_rate": "share of positives",
}
_TYPES = {"FLOAT": "number", "INT": "whole number", "BYTES": "text"}
_SPLITS = {
    "train": "learning",
    "eval": "choosing when to stop learning",
    "test": "telling how good it is",
}
_SHOWN_VALUES = 12
_SHOWN_OUTPUTS = 8


def card(model: Description) -> str:
    """Return the model's card."""
    sections = (
        f"# {plain(model.name)}",
        _what(model),
        "## How to ask it\n\n" + _asking(model),
        "## Inputs\n\n" + _inputs(model.inputs),
        "## Outputs\n\n" + _outputs(model),
        "## Data\n\n" + _data(model),
        "## Features\n\n" + _features(model),
        "## How good it is\n\n" + _goodness(model),
        "## How its serving was proven\n\n" + _proof(model),
        "## Use and limits\n\n" + _limits(model),
        "## Where it comes from\n\n" + _origin(model),
    )
    return "\n\n".join(sections) + "\n"


def plain(text: str) -> str:
    """Return text on one line in which no character has a meaning to Markdown or HTML."""
    return re.sub(r"([\\`*_\[\]<>|#&~!$])", r"\\\1", " ".join(text.split()))


def code(text: str, *, in_table: bool = True) -> str:
    """Return text as code on one line."""
    line = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    # a table splits at every bar but those behind a backslash, in code too
    inner = line.replace("|", "\\|") if in_table else line
    space = " " if inner.startswith("`") or inner.endswith("`") or not inner.strip() else ""
    return f"{fence}{space}{inner}{space}{fence}"


def _what(model: Description) -> str:
    first, second = (code(name, in_table=False) for name in model.classes)
    why = "" if model.threshold_chosen else " (the default, as pipeline.yaml sets no threshold)"
    return (
        f"Predicts {plain(model.label)}. The score is the probability of class {second}; a row "
        f"whose score is {_number(model.threshold)} or more{why} is of that class, any other of "
        f"class {first}.\n\nPushed at {plain(model.pushed_at)}."
    )


def _number(value: float) -> str:
    """Write a number as a person would, with no digit lost.

    >>> _number(0.5), _number(8.0), _number(17031980100.0)
    ('0.5', '8', '17031980100')
    """
    return f"{value:.15g}"


def _asking(model: Description) -> str:
    body = json.dumps(
        {"signature_name": "predict", "instances": [{i.name: _asked(i) for i in model.inputs}]},
        ensure_ascii=False,
    )
    url = f"http://localhost:8501/v1/models/{model.name}:predict"
    return (
        "```sh\n"
        f"curl -d {shlex.quote(body)} {shlex.quote(url)}\n"
        "```\n\n"
        "```python\n"
        "import json, urllib.request\n\n"
        f"body = {body!r}\n"
        f"answer = urllib.request.urlopen({url!r}, body.encode())\n"
        'print(json.load(answer)["predictions"])\n'
        "```\n\n"
        'Every column has to be there: a missing number is `NaN`, a missing text `""`.'
    )


def _asked(column: Input) -> int | float | str:
    if column.example is not None:
        return column.example
    return "" if column.kind == "BYTES" else float("nan")


def _inputs(inputs: Sequence[Input]) -> str:
    described = any(i.description for i in inputs)
    header = ("column", "type", "may be missing", "values", "example", "meaning")
    rows = (
        (
            code(i.name),
            _TYPES[i.kind],
            "" if i.required else "yes",
            _domain(i),
            "missing" if i.example is None else code(json.dumps(i.example, ensure_ascii=False)),
            plain(i.description),
        )
        for i in inputs
    )
    columns = len(header) if described else len(header) - 1
    return _table(header[:columns], (row[:columns] for row in rows))


def _domain(column: Input) -> str:
    if column.values is not None:
        return _listed(column.values)
    bounds = [
        f"{sign} {_number(bound)}"
        for sign, bound in (("≥", column.minimum), ("≤", column.maximum))
        if bound is not None
    ]
    if bounds:
        return ", ".join(bounds)
    if column.known is not None:
        return f"any; it learnt {len(column.known):,}: {_listed(column.known)}"
    return "any"


def _listed(values: Sequence[str]) -> str:
    shown = ", ".join(code(value) for value in values[:_SHOWN_VALUES])
    rest = len(values) - _SHOWN_VALUES
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def _outputs(model: Description) -> str:
    return _table(
        ("signature", "takes", "output", "type", "meaning"),
        (
            (
                code(signature.name),
                signature.takes,
                code(output.name),
                f"{output.dtype} {list(output.shape)}" if output.shape else output.dtype,
                plain(output.meaning),
            )
            for signature in model.signatures
            for output in _shown(signature.outputs)
        ),
    )


def _shown(outputs: tuple[Output, ...]) -> tuple[Output, ...]:
    """All outputs, or one line for the many of a signature that gives every feature."""
    if len(outputs) <= _SHOWN_OUTPUTS:
        return outputs
    return (
        Output(name="…", dtype="", shape=(), meaning=f"{len(outputs)} features: see model.json"),
    )


def _data(model: Description) -> str:
    rows = _table(
        ("split", "rows", "is for"),
        ((plain(name), f"{count:,}", _SPLITS.get(name, "")) for name, count in model.rows.items()),
    )
    return f"It learnt from {model.training_examples:,} rows.\n\n{rows}"


def _features(model: Description) -> str:
    return _table(
        ("columns", "treatment"),
        ((", ".join(code(c) for c in f.columns), plain(f.treatment)) for f in model.features),
    )


def _goodness(model: Description) -> str:
    overall, *slices = model.metrics
    header = ("", "rows", *_METRICS.values())
    baseline = Slice(name="", rows=overall.rows, metrics=model.baseline)
    whole = _table(
        header, (_measured("this model", overall), _measured("logistic regression", baseline))
    )
    intro = (
        "On the test split, beside a logistic regression of the same features. AUC, PR AUC and "
        "accuracy are better the higher, log-loss and calibration error the lower."
    )
    told = [intro, whole]
    large = [s for s in slices if s.rows >= model.min_slice_examples]
    if large:
        told += ["By slice:", _table(header, (_measured(code(s.name), s) for s in large))]
    if len(large) < len(slices):
        told.append(
            f"Not shown: slices of fewer than {model.min_slice_examples:,} rows "
            f"({len(slices) - len(large):,}), which tell little. They are in model.json."
        )
    return "\n\n".join(told)


def _measured(name: str, part: Slice) -> tuple[str, ...]:
    figures = (part.metrics.get(metric) for metric in _METRICS)
    return name, f"{part.rows:,}", *("-" if f is None else f"{f:.4f}" for f in figures)


def _proof(model: Description) -> str:
    table = _table(
        ("way of serving", "rows", "values compared", "differing"),
        ((plain(p.name), f"{p.rows:,}", f"{p.values:,}", f"{p.differing:,}") for p in model.parity),
    )
    return (
        f"Each way of serving was asked about {model.real_rows:,} real rows and "
        f"{model.adversarial_rows:,} adversarial ones, made from real ones. Its answers were "
        f"compared with what training computes for the same rows.\n\n{table}"
    )


def _limits(model: Description) -> str:
    lines = [
        "It is meant for rows like those of its data; the figures above say nothing of others.",
        "Values that it never saw are scored, not refused, also those outside the bounds above.",
        "Not examined: whether it is fair to people, how it ages, what a wrong answer costs.",
    ]
    overall, *slices = model.metrics
    large = [s for s in slices if s.rows >= model.min_slice_examples]
    marks = [(s.metrics.get("log_loss"), s) for s in large]
    known = [(mark, s) for mark, s in marks if mark is not None]
    if known:
        mark, worst = max(known, key=lambda pair: pair[0])
        lines.append(
            f"Of the slices of {model.min_slice_examples:,} rows or more, it does worst where "
            f"{code(worst.name, in_table=False)} ({worst.rows:,} rows): log-loss {mark:.4f}, "
            f"against {overall.metrics['log_loss']:.4f} on all rows."
        )
    return "\n".join(f"- {line}" for line in lines)


def _origin(model: Description) -> str:
    digests = _table(
        ("SHA-256 of", ""), ((plain(k), code(v)) for k, v in sorted(model.digests.items()))
    )
    versions = _table(("made with", ""), ((plain(k), plain(v)) for k, v in model.versions.items()))
    return f"{digests}\n\n{versions}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
