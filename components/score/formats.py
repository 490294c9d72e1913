"""Formats of scores, and the pattern of a topic to publish them to."""

from __future__ import annotations

import re
from typing import Literal

Format = Literal["parquet", "csv", "jsonl"]
FORMATS: tuple[Format, ...] = ("parquet", "csv", "jsonl")
TOPIC = re.compile(r"projects/[^/]+/topics/[^/]+")
