from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics.stats_impl import generate_statistics_in_memory
from tensorflow_metadata.proto.v0 import statistics_pb2

from components import files
from components.examples import as_lists, iter_batches
from components.validate import statistics, stored
from components.validate.files import statistics_path
from schemas.columns import parse_schema
from schemas.errors import DataError
from schemas.splits.options import FOLD

pytestmark = pytest.mark.component

EMPTY: dict[str, list[object]] = {"fare": [], "hour": [], "payment": [], "tips": []}
INT = statistics_pb2.FeatureNameStatistics.INT


def measure(examples: str, schema_text: str, output: Path) -> dict[str, int]:
    schema = parse_schema(schema_text, where="schema.pbtxt")
    return statistics.generate(examples=examples, schema=schema, output=str(output))


def features(root: Path, split: str) -> dict[str, statistics_pb2.FeatureNameStatistics]:
    (dataset,) = tfdv.load_stats_binary(statistics_path(str(root), split)).datasets
    return {feature.path.step[0]: feature for feature in dataset.features}


def test_figures_of_every_split_are_right_and_tfdv_reads_them(
    examples_of: Callable[..., str], schema_text: str, tmp_path: Path
) -> None:
    more = {"fare": [5.0], "hour": [23], "payment": ["Cash"], "tips": [None]}
    folded = {FOLD: pa.array([0, 1, 1, 0])}
    examples = examples_of(batch_rows=3, train=folded, eval=more, test=EMPTY)
    assert measure(examples, schema_text, tmp_path) == {"train": 4, "eval": 1, "test": 0}
    train = features(tmp_path, "train")
    assert train.keys() == {"fare", "hour", "payment", "tips"}  # and not the fold
    assert (train["fare"].num_stats.min, train["fare"].num_stats.max) == (1.0, 99.0)
    assert train["fare"].num_stats.mean == pytest.approx(27.4375)
    assert train["hour"].type == INT
    assert train["hour"].string_stats.unique == 3
    assert train["hour"].string_stats.common_stats.num_missing == 1
    assert train["hour"].string_stats.avg_length == pytest.approx(4 / 3)
    top = {v.value: v.frequency for v in train["payment"].string_stats.top_values}
    assert top == {"Cash": 2, "Credit Card": 2}
    one = features(tmp_path, "eval")
    assert one["tips"].num_stats.common_stats.num_missing == 1
    assert features(tmp_path, "test") == {}
    assert (tmp_path / "Split-test" / "FeatureStats.pb").is_file()


def test_statistics_are_those_of_tfdv_itself(
    examples_of: Callable[..., str], schema_text: str, tmp_path: Path
) -> None:
    examples = examples_of()
    measure(examples, schema_text, tmp_path)
    options = tfdv.StatsOptions(
        schema=parse_schema(schema_text, where="schema.pbtxt"), num_quantiles_histogram_buckets=20
    )
    (batch,) = iter_batches(examples, "train")
    (expected,) = generate_statistics_in_memory(as_lists(batch), options).datasets
    ours = features(tmp_path, "train")
    for feature in expected.features:
        assert ours.pop(feature.path.step[0]) == feature
    assert ours == {}


def test_text_in_a_column_of_categories_stays_text(
    examples_of: Callable[..., str], schema_text: str, tmp_path: Path
) -> None:
    words = {"hour": pa.array(["a", "b", "c", "d"])}
    measure(examples_of(train=words, eval=words, test=words), schema_text, tmp_path)
    assert features(tmp_path, "train")["hour"].type == statistics_pb2.FeatureNameStatistics.STRING


def test_missing_and_sliced_statistics_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no statistics of split 'eval'"):
        stored.load(str(tmp_path), "eval")
    two = statistics_pb2.DatasetFeatureStatisticsList()
    two.datasets.add(name="a")
    two.datasets.add(name="b")
    files.write_whole(statistics_path(str(tmp_path), "eval"), two.SerializeToString())
    with pytest.raises(DataError, match="of 2 datasets"):
        stored.load(str(tmp_path), "eval")
