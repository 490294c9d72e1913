"""Checks regular expressions before a run, by Arrow, which has RE2 as TensorFlow and DuckDB do."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from schemas.derived import DerivedColumn
from schemas.errors import ConfigError
from schemas.expressions.tree import Constant, FunctionCall, walk
from schemas.expressions.tree_json import loads


def check_patterns(derived: Iterable[DerivedColumn], *, where: str) -> None:
    """Check the patterns, groups and replacements of derived columns.

    Args:
      derived: the columns.
      where: the path of pipeline.yaml.

    Raises:
      ConfigError: one is not a regular expression, or has no such group.
    """
    for each in derived:
        for node in walk(loads(each.tree)):
            if isinstance(node, FunctionCall) and node.function.startswith("regexp_"):
                _check(node, f"{where}: derive.{each.name}")


def _check(node: FunctionCall, where: str) -> None:
    constants = [x.value for x in node.arguments[1:] if isinstance(x, Constant)]
    pattern, *rest = constants
    if None in constants:
        return
    replacement = str(rest[0]) if node.function == "regexp_replace" else ""
    if node.function == "regexp_extract" and rest:
        if not 0 <= int(rest[0] or 0) <= _MOST_GROUPS:
            raise ConfigError(
                f"regexp_extract has the group {rest[0]}",
                where=where,
                expected=f"a group from 0 to {_MOST_GROUPS}",
            )
        replacement = rf"\{rest[0]}"
    try:
        pc.replace_substring_regex(pa.array(["a"]), pattern=str(pattern), replacement=replacement)
    except pa.ArrowInvalid as error:
        raise ConfigError(
            f"the pattern {pattern!r} of {node.function} is wrong: {error}",
            where=where,
            expected="a regular expression of RE2, with the groups that the expression uses",
            remedy="correct it; (?:…) makes no group",
        ) from error


_MOST_GROUPS = 8  # a replacement has up to 9, and one is around the whole pattern
