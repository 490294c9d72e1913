"""A small dataset's folder, whose files a test changes like a user."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas import catalog
from schemas.errors import ConfigError

PIPELINE = """\
name: tiny
source:
  path: data.csv
splits:
  key: [fare, hour]
label:
  name: big_tip
  exceeds: {column: tips, fraction: 0.2, of: fare}
features:
  fare:
    - z_score:
        log1p: true
    - quantile_buckets: {buckets: 4}
  hour: [vocabulary, z_score]
  payment: vocabulary
crosses:
  - columns: [payment, hour]
    buckets: 20
model:
  hidden_units: [8, 4]
  deep: {learning_rate: 0.01}
evaluation:
  thresholds:
    auc: {min: 0.6}
  slices: [payment]
"""
SCHEMA = """\
default_environment: "TRAINING"
default_environment: "SERVING"
feature { name: "fare" type: FLOAT }
feature { name: "hour" type: INT }
feature { name: "payment" type: BYTES }
feature { name: "tips" type: FLOAT not_in_environment: "SERVING" }
"""


class Folder:
    """A dataset's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pipeline = path / "pipeline.yaml"
        self.schema = path / "schema.pbtxt"
        self.pipeline.write_text(PIPELINE)
        self.schema.write_text(SCHEMA)

    def __str__(self) -> str:
        return str(self.path)

    def change(self, old: str, new: str) -> int:
        """Replace one piece of pipeline.yaml; return its first line's number."""
        return _change(self.pipeline, old, new)

    def change_schema(self, old: str, new: str) -> int:
        """Replace one piece of schema.pbtxt; return its first line's number."""
        return _change(self.schema, old, new)


def _change(file: Path, old: str, new: str) -> int:
    text = file.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file.name}"
    file.write_text(text.replace(old, new))
    return text[: text.index(old)].count("\n") + 1


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def refusal(name_or_path):
    """Return the error for a dataset."""
    with pytest.raises(ConfigError) as caught:
        catalog.load(str(name_or_path))
    return caught.value
