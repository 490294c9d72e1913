"""The page at `/`: one HTML document, put together from page_files/.

Nothing goes in; out comes a document that needs no other file and talks to its own server only.
Promised: its Content-Security-Policy lets no script run but its own, whatever names and values a
model or a request brings.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from pathlib import Path

from components.serve.messages import Answer
from schemas.types import TYPES

_FILES = Path(__file__).with_name("page_files")

# In this order they make one script: each uses only what stands above it at load time.
_SCRIPTS = (
    "dom.js",
    "json.js",
    "api.js",
    "form.js",
    "answer.js",
    "sweep.js",
    "chart.js",
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
    """Return the lines that an answer with the document has in its head.

    The policy stands in the document, too, for those who keep it; what a frame around it may be
    can only be said here.
    """
    policy = f"{_policy(_style(), _script())}; frame-ancestors 'none'"
    return (f"Content-Security-Policy: {policy}",)


def answer() -> Answer:
    """Return the answer to whoever asks for the page."""
    return Answer(200, page(), "text/html; charset=utf-8", headers())


def _style() -> str:
    return _read("page.css")


def _script() -> str:
    return "\n".join([_types(), *map(_read, _SCRIPTS)])


def _types() -> str:
    """Return the table of column types: of each what a form needs."""
    table = {
        each.name: {
            "title": each.title,
            "text": each.is_requested_as_text,
            "whole": each.is_whole,
        }
        for each in TYPES.values()
    }
    return f"const TYPES = {json.dumps(table)};"


def _read(name: str) -> str:
    return (_FILES / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return what the document may do: itself, its server's API, and no markup made from text."""
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
    """Return how a policy names an inline script or style: by its SHA-256."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
