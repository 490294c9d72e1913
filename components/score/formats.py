"""Formats that scores are written in, and what names a topic that they are published to."""

from __future__ import annotations

import re
from typing import Literal

Format = Literal["parquet", "csv", "jsonl"]
FORMATS: tuple[Format, ...] = ("parquet", "csv", "jsonl")
TOPIC = re.compile(r"projects/[^/]+/topics/[^/]+")
