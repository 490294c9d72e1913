"""One HTML document that needs no other file and opens no connection.

It is assembled from a page's own files and the shared ones in page_files/, and from the chart
library in vendor/. Its Content-Security-Policy allows only its own scripts; the data are JSON,
which the page inserts as text.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_ROOM = Path(__file__).parent
_FILES, VENDOR = _ROOM / "page_files", _ROOM / "vendor"

# In the order in which they are loaded, before a page's own scripts.
_VENDORED = ("vega.min.js", "vega-interpreter.js", "vega-lite.min.js")
_SHARED = ("dom.js", "text.js", "specs.js", "charts.js", "saving.js", "tables.js")
_STYLE = "shared/page.css"

_IMPORT = re.compile(r"^import (\{.*\}) from 'vega-util';$", re.MULTILINE)
_EXPORT = re.compile(r"^export \{ (\w+) as (\w+) \};$", re.MULTILINE)

# What could end the element that holds the data.
_ESCAPED = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def document(
    template: str,
    *,
    title: str,
    scripts: Sequence[str],
    content: Any,
    styles: Sequence[str] = (),
) -> str:
    """Return a page as an HTML document; files are named by their paths in page_files/.

    Args:
      template: the page's markup.
      title: the title of the window.
      scripts: the page's own scripts, in the order in which they are loaded.
      content: values of JSON, which the page finds as `content`.
      styles: what is added to the shared style.

    Raises:
      ValueError: a number is not finite.
    """
    style = "".join(map(_read, (_STYLE, *styles)))
    code = [*map(_vendored, _VENDORED), _own(tuple(scripts))]
    return str(
        _template(template).render(
            title=title,
            policy=_policy(style, code),
            style=style,
            scripts=code,
            content=embedded(content),
        )
    )


def embedded(content: Any) -> str:
    r"""Return JSON that can stand in any element of an HTML document.

    >>> embedded("</script>")
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPED)


def _template(name: str) -> Any:
    import jinja2

    return jinja2.Environment(autoescape=True).from_string(_read(name))


@functools.cache
def _own(scripts: tuple[str, ...]) -> str:
    body = "\n".join(map(_read, (*(f"shared/{name}" for name in _SHARED), *scripts)))
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


def _policy(style: str, scripts: Sequence[str]) -> str:
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
