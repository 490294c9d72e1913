"""The page at `/`: one HTML document, assembled from page_files/.

The document needs no other file and connects only to its own server. Its Content-Security-Policy
allows only its own script, whatever names and values a model or a request has.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from pathlib import Path

from components.serve.messages import Answer
from schemas.tasks import BY_NAME
from schemas.tasks.options import Metric
from schemas.time_formats import UNITS
from schemas.types import TYPES

_FILES = Path(__file__).with_name("page_files")

# Concatenated in this order to one script: each file uses only earlier ones at load time.
_SCRIPTS = (
    "dom.js",
    "json.js",
    "api.js",
    "form.js",
    "answer.js",
    "sweep.js",
    "chart.js",
    "explain.js",
    "snippets.js",
    "about.js",
    "main.js",
)


@functools.cache
def page() -> bytes:
    """Return the document, in UTF-8; the files are read once."""
    style, script = _style(), _script()
    document = _read("page.html").replace("{{policy}}", _policy(style, script))
    return document.replace("{{style}}", style).replace("{{script}}", script).encode()


@functools.cache
def headers() -> tuple[str, ...]:
    """Return the header lines for an answer with the document.

    The policy is also part of the document, for saved copies; only the header can forbid frames
    around it.
    """
    policy = f"{_policy(_style(), _script())}; frame-ancestors 'none'"
    return (f"Content-Security-Policy: {policy}",)


def answer() -> Answer:
    """Return the answer with the page."""
    return Answer(200, page(), "text/html; charset=utf-8", headers())


def _style() -> str:
    return _read("page.css")


def _script() -> str:
    return "\n".join([_types(), _tasks(), *map(_read, _SCRIPTS)])


def _types() -> str:
    """Return the table of column types, of each what a form needs; and a year in units of times."""
    table = {
        each.name: {
            "title": each.title,
            "text": each.is_requested_as_text,
            "whole": each.is_whole and not each.is_requested_as_text,
            "time": each.is_time,
        }
        for each in TYPES.values()
    }
    year = {unit: 365 * UNITS["UNIX_DAYS"] // size for unit, size in UNITS.items()}
    return f"const TYPES = {json.dumps(table)};\nconst UNITS_OF_A_YEAR = {json.dumps(year)};"


def _numbered(metric: Metric) -> Metric:
    """Return a metric with {k} for the number that an option chooses."""
    return metric if metric.number is None else metric.of("{k}")


def _tasks() -> str:
    """Return the table of tasks: the titles of each one's metrics and of its linear baseline."""
    table = {
        name: {
            "metrics": {
                metric.name: metric.title
                for metric in map(_numbered, task.judged())
                if not metric.optional
            },
            "linear": task.BASELINES[1].title,
        }
        for name, task in BY_NAME.items()
    }
    return f"const TASKS = {json.dumps(table)};"


def _read(name: str) -> str:
    return (_FILES / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return the policy: only its own style and script, its server's API, no markup from text."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src {_source(style)}",
            f"script-src {_source(script)}",
            "connect-src 'self'",
            "img-src data:",  # the icon
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        ]
    )


def _source(text: str) -> str:
    """Return the name of an inline script or style in a policy: its SHA-256."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
