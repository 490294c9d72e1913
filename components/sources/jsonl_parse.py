"""Parses lines of JSON into typed rows and rejects with reasons.

pyarrow reads the ordinary lines, a column at a time; all others are read exactly, one by one.
"""

from __future__ import annotations

import numpy as np

from components.sources.jsonl_arrow import certain_rows
from components.sources.jsonl_exact import exact_rows
from components.sources.jsonl_lines import Lines
from components.sources.jsonl_rows import JsonRules, merged
from components.sources.protocol import Block


def parse(lines: Lines, path: str, rules: JsonRules) -> Block:
    """Turn each line into a row or a reject.

    Args:
      lines: consecutive lines.
      path: their file.
      rules: the rules.
    """
    certain = certain_rows(lines, rules)
    left = np.ones(len(lines), bool)
    for rows in certain:
        left[rows.at] = False
    exact, rejects = exact_rows(lines, np.flatnonzero(left), path, rules)
    rows = merged([*certain, exact])
    return Block(len(lines), rows.columns, lines.numbers[rows.at], rejects)
