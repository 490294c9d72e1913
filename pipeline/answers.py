"""What commands print with `--json`: one object whose shape is the same for all of them.

`{"format": 1, "command": "runs", "result": ...}`, or with `error` in place of `result` if the
command failed. Keys may be added to a result; `format` increases if one is removed or changes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import click

from schemas.errors import SkewlessError

FORMAT = 1
FLAG = "--json"

option = click.option(FLAG, "as_json", is_flag=True, help="Print JSON instead of text.")


def show(result: Any) -> None:
    """Print the result of the current command as JSON.

    Args:
      result: values that JSON has; a tuple becomes an array, and a number that is not finite null.
    """
    _, _, command = click.get_current_context().command_path.partition(" ")
    click.echo(_text(command=command, result=result))


def show_failure(command: str, error: SkewlessError) -> None:
    """Print why a command failed as JSON."""
    fields = {name: getattr(error, name) for name in ("what", "where", "expected", "remedy")}
    named = {"kind": type(error).__name__, "exit_code": error.exit_code, **fields}
    click.echo(_text(command=command, error=named))


def _plain(value: Any) -> Any:
    """Return a value with null in place of numbers that JSON does not have."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(**fields: Any) -> str:
    return json.dumps(
        _plain({"format": FORMAT, **fields}), indent=1, ensure_ascii=False, allow_nan=False
    )
