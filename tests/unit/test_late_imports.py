"""Heavy libraries are imported by files, at their top, and not by functions.

A file whose business is a library imports it; code that starts at once imports such files late.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("schemas", "components", "pipeline", "skewless")
HEAVY = (
    *("apache_beam", "boto3", "botocore", "duckdb", "google", "keras", "ml_metadata", "numpy"),
    *("pandas", "pyarrow", "tensorflow", "tensorflow_data_validation", "tensorflow_metadata"),
    *("tensorflow_model_analysis", "tensorflow_serving", "tensorflow_transform", "tfx", "tfx_bsl"),
)
_INDENTED = re.compile(rf"^[ \t]+(?:import|from)[ \t]+(?:{'|'.join(HEAVY)})\b", re.MULTILINE)
# Files whose functions may import such libraries, and why.
ALLOWED = {
    "components/compat.py": "differences of libraries in one place, which light commands import",
    "components/score/message_sinks.py": "Pub/Sub's client, which no stream of files needs",
    "components/score/subscription.py": "Pub/Sub's client, on the machine that pulls messages",
    "components/sources/bigquery_client.py": "BigQuery's client, with its warnings silenced",
    "components/store_clients.py": "the clients of stores, for paths in them alone",
    "components/worker_pool.py": "Beam's harness, in the process of a worker after its fork",
    "pipeline/dataflow.py": "Google's credentials, once a job is sent",
}


def imports_in_functions(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the package of each import inside of a function."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, each.name.partition(".")[0]) for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.lineno, node.module.partition(".")[0]


@functools.cache
def late_imports() -> dict[str, set[str]]:
    """Return the heavy imports inside of functions, with their lines, by file."""
    found: dict[str, set[str]] = {}
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if not _INDENTED.search(text):
                continue  # to parse every file takes seconds
            for line, package in imports_in_functions(ast.parse(text)):
                if package in HEAVY:
                    name = path.relative_to(ROOT).as_posix()
                    found.setdefault(name, set()).add(f"{name}:{line} imports {package}")
    return found


def test_functions_import_no_heavy_library():
    found = late_imports()
    more = sorted(line for name in found.keys() - ALLOWED.keys() for line in found[name])
    assert more == [], "import it at the top of a file that is imported late"


def test_each_exception_is_still_one():
    assert ALLOWED.keys() - late_imports().keys() == set()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import tensorflow as tf", []),
        ("def f():\n    import tensorflow as tf", ["tensorflow"]),
        ("class A:\n    async def f(self):\n        from google.cloud import x", ["google"]),
        ("def f():\n    from components import files\n    import os", ["components", "os"]),
        ("if TYPE_CHECKING:\n    import pyarrow", []),
    ],
)
def test_imports_are_found_in_functions_alone(code, found):
    assert [package for _, package in imports_in_functions(ast.parse(code))] == found
