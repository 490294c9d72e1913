"""The data page: one HTML document that needs no other file and opens no connection.

It is assembled from page_files/ and from the chart library in vendor/. Its Content-Security-Policy
allows only its own scripts; the data are JSON, which the page inserts as text.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from components import files
from pipeline.report.data import Sources, content_of

_ROOM = Path(__file__).parent
_FILES, VENDOR = _ROOM / "page_files", _ROOM / "vendor"

FILE_NAME = "data.html"  # in the folder of a run

# In the order in which they are loaded.
_VENDORED = ("vega.min.js", "vega-interpreter.js", "vega-lite.min.js")
_SCRIPTS = ("dom.js", "text.js", "specs.js", "charts.js", "tables.js", "card.js", "main.js")

_IMPORT = re.compile(r"^import (\{.*\}) from 'vega-util';$", re.MULTILINE)
_EXPORT = re.compile(r"^export \{ (\w+) as (\w+) \};$", re.MULTILINE)

# What could end the element that holds the data.
_ESCAPED = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def write(path: str, sources: Sources, *, pipeline: str, run_id: str) -> None:
    """Write the page about the data of a run into a file.

    Raises:
      DataError: an artifact is not there, or is damaged.
    """
    files.write_whole(path, page(content_of(sources, pipeline=pipeline, run_id=run_id)))


def page(content: dict[str, Any]) -> str:
    """Return the document.

    Args:
      content: from `data.content_of`.
    """
    style, scripts = _read("page.css"), [*map(_vendored, _VENDORED), _own()]
    return _template().render(
        title=f"{content['pipeline']}: data",
        policy=_policy(style, scripts),
        style=style,
        scripts=scripts,
        content=embedded(content),
    )


def embedded(content: Any) -> str:
    r"""Return JSON that can stand in any element of an HTML document.

    >>> embedded("</script>")
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPED)


def _template() -> Any:
    import jinja2

    return jinja2.Environment(autoescape=True).from_string(_read("page.html.j2"))


@functools.cache
def _own() -> str:
    body = "\n".join(map(_read, _SCRIPTS))
    return f'"use strict";\n(() => {{\n{body}\n}})();\n'


@functools.cache
def _vendored(name: str) -> str:
    """Return a library as a classic script.

    vega-interpreter is published as a module alone; what it imports, vega has.
    """
    text = (VENDOR / name).read_text(encoding="utf-8")
    text = re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.MULTILINE)
    if not text.startswith("import "):
        return text
    body = _IMPORT.sub(r"const \1 = vega;", _EXPORT.sub(r"vega.\2 = \1;", text, 1), 1)
    return f"(() => {{\n{body}\n}})();\n"


def _read(name: str) -> str:
    return (_FILES / name).read_text(encoding="utf-8")


def _policy(style: str, scripts: list[str]) -> str:
    """Return the policy: only the page's own style and scripts, and no connection at all."""
    allowed = " ".join(map(_source, scripts))
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src {_source(style)}",
            f"script-src {allowed}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _source(text: str) -> str:
    """Return the name of an inline script or style in a policy: its SHA-256."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
