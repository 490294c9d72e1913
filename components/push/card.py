"""`model.json` as a page for people: MODEL_CARD.md.

It needs only a `Description`. In the resulting Markdown (GitHub's), text from the data can never be
markup. The template is MODEL_CARD.md.j2.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from schemas.description import CARD_NAME, Description, Example, Input, Slice
from schemas.tasks import BY_NAME
from schemas.tasks.options import figure_text

_SPLITS = {
    "train": "learning",
    "eval": "choosing when to stop learning",
    "test": "telling how good it is",
}


def card(model: Description) -> str:
    """Return the model's card."""
    overall, *slices = model.metrics
    task = BY_NAME[model.task]
    objective = task.metric(model.objective)
    shown = task.shown(model.objective, overall.metrics)
    large = [s for s in slices if s.rows >= model.min_slice_examples]
    row = {i.name: _asked(i) for i in model.inputs}
    return _TEMPLATE.render(
        model=model,
        metrics={metric.name: metric.title for metric in shown},
        higher=[m.title for m in shown if m.better == "higher"],
        lower=[m.title for m in shown if m.better == "lower"],
        objective=objective,
        linear=task.BASELINES[1].title,
        splits=_SPLITS,
        overall=overall,
        baseline=Slice(name="", rows=overall.rows, metrics=model.baseline),
        uncalibrated=Slice(name="", rows=overall.rows, metrics=model.uncalibrated),
        large=large,
        small=len(slices) - len(large),
        worst=max(
            (s for s in large if s.metrics.get(objective.name) is not None),
            key=lambda s: objective.loss(s.metrics[objective.name] or 0),
            default=None,
        ),
        body=json.dumps({"signature_name": "predict", "instances": [row]}, ensure_ascii=False),
        url=f"http://localhost:8501/v1/models/{model.name}:predict",
    )


def plain(text: str) -> str:
    """Return text on one line in which no character has a meaning to Markdown or HTML."""
    return re.sub(r"([\\`*_\[\]<>|#&~!$])", r"\\\1", " ".join(text.split()))


def code(text: str, *, in_table: bool = True) -> Markup:
    """Return text as code on one line, which is escaped no further."""
    line = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    # a table splits at every bar but those behind a backslash, in code too
    inner = line.replace("|", "\\|") if in_table else line
    space = " " if inner.startswith("`") or inner.endswith("`") or not inner.strip() else ""
    return Markup(f"{fence}{space}{inner}{space}{fence}")


def _asked(column: Input) -> Example:
    if column.example is None and not column.most:  # null stands for a missing list
        return column.type.request_missing
    return column.example


def _escaped(value: object) -> Markup:
    """Escape as Markdown what is not marked as escaped, before jinja2 would as HTML."""
    return value if isinstance(value, Markup) else Markup(plain(str(value)))


def _number(value: float) -> str:
    """Write a number as a person would, with no digit lost.

    >>> _number(0.5), _number(8.0), _number(17031980100.0)
    ('0.5', '8', '17031980100')
    """
    return f"{value:.15g}"


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    finalize=_escaped,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.filters |= {
    "code": code,
    "figure": figure_text,
    "json": lambda value: json.dumps(value, ensure_ascii=False),
    "number": _number,
    "python": lambda text: Markup(repr(text)),
    "series": lambda names: " and ".join(", ".join(names).rsplit(", ", 1)),
    "shell": lambda text: Markup(shlex.quote(text)),
    "thousands": "{:,}".format,
}
_TEMPLATE = _ENVIRONMENT.get_template(f"{CARD_NAME}.j2")
