"""The statistics of a window are merged from its spans, none of which is read again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.examples import shards
from components.validate import span_statistics, statistics, stored
from components.validate.relations import Relations
from schemas.columns import parse_schema
from schemas.splits.options import SPLITS
from schemas.tasks.regression import Regression

pytestmark = pytest.mark.component

NONE: dict[str, list[object]] = {"fare": [], "hour": [], "payment": [], "tips": []}
SPANS = (
    {"train": {"fare": [5.0, 6.0, 7.0, 8.5]}, "test": {"payment": ["Cash", "Free", None, "Cash"]}},
    {"eval": NONE, "train": {"hour": [1, 1, None, 2]}},
    {"train": {"tips": [0.5, None, 0.0, 1e6]}, "test": NONE},
)
LABEL = Regression(name="tips", column="tips")


def test_statistics_of_a_window_are_those_of_one_pass_over_its_rows(
    examples_of: Callable[..., str], schema_text: str, tmp_path: Path
) -> None:
    schema = parse_schema(schema_text, where="schema.pbtxt")
    joined, kept = tmp_path / "joined", []
    for number, span in enumerate(SPANS):
        examples = examples_of(**span)
        kept.append(str(tmp_path / str(number)))
        span_statistics.measure(examples=examples, schema=schema, output=kept[-1], whole="whole")
        for split in SPLITS:  # a span is measured once: its files go away
            folder = joined / f"Split-{split}"
            folder.mkdir(parents=True, exist_ok=True)
            for path in map(Path, shards(examples, split)):
                path.rename(folder / f"span-{number}-{path.name}")
    rows = span_statistics.merge(
        kept, examples=str(joined), schema=schema, output=str(tmp_path / "merged"), label=LABEL
    )
    at_once = tmp_path / "at_once"
    assert rows == statistics.generate(
        examples=str(joined), schema=schema, output=str(at_once), label=LABEL
    )
    assert rows == {"train": 12, "eval": 8, "test": 8}
    for split in SPLITS:
        assert _by_column(tmp_path / "merged", split) == _by_column(at_once, split)
    assert Relations.read(str(tmp_path / "merged")) == Relations.read(str(at_once))
    assert stored.load(kept[1], "whole").datasets[0].num_examples == 8


def _by_column(root: Path, split: str) -> dict[str, statistics_pb2.FeatureNameStatistics]:
    (dataset,) = stored.load(str(root), split).datasets
    return {feature.path.step[0]: feature for feature in dataset.features}
