"""A split whose rows all weigh nothing is reported."""

import pyarrow as pa
import pytest

from components.examples import ShardWriter, split_folder
from components.ingest.weights import check_weights
from schemas.errors import DataError
from schemas.splits.options import SPLITS


def examples(root, weights):
    """Write weights by split, two rows a batch."""
    for split in SPLITS:
        table = pa.table({"w": pa.array(weights.get(split, []), pa.float32())})
        path = f"{split_folder(str(root), split)}/rows.parquet"
        with ShardWriter(path, table.schema, batch_rows=2) as writer:
            writer.write(table)
    return str(root)


def test_one_row_that_weighs_something_is_enough(tmp_path):
    root = examples(tmp_path, {"train": [0, 0, 0, 0.5], "eval": [1]})  # test has no rows
    check_weights(root, "w", where="data.csv")


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_that_weighs_nothing_is_named(tmp_path, split):
    root = examples(tmp_path, {each: [1, 2] for each in SPLITS} | {split: [0, 0, 0]})
    with pytest.raises(DataError, match=f"'w' is 0 in all 3 rows of the {split} split") as caught:
        check_weights(root, "w", where="data.csv")
    assert caught.value.where == "data.csv"


def test_rows_without_weights_are_not_read(tmp_path):
    check_weights(str(tmp_path / "nowhere"), None, where="data.csv")
