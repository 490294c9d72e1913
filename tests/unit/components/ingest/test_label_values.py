"""Label values that do not occur in the examples are reported with the values that do."""

import pyarrow as pa
import pytest

from components.examples import ShardWriter, split_folder
from components.ingest.label_values import check_label
from schemas.errors import DataError
from schemas.splits.options import SPLITS
from schemas.tasks.binary import Binary
from schemas.tasks.multiclass import Multiclass


def examples(root, values, kind="string"):
    """Write examples of one column `y`, by split, two rows a batch."""
    for split in SPLITS:
        table = pa.table({"y": pa.array(values.get(split, []), kind)})
        path = f"{split_folder(str(root), split)}/rows.parquet"
        with ShardWriter(path, table.schema, batch_rows=2) as writer:
            writer.write(table)
    return str(root)


def label(*values):
    return Binary.model_validate({"name": "t", "equals": {"column": "y", "values": values}})


def refused(root, *values):
    with pytest.raises(DataError) as caught:
        check_label(root, label(*values), where="data.csv")
    assert caught.value.where == "data.csv"
    return caught.value


@pytest.mark.parametrize("split", SPLITS)
def test_a_value_that_occurs_anywhere_is_enough(tmp_path, split):
    root = examples(tmp_path, {"train": ["no"] * 5} | {split: ["no"] * 5 + ["yes"]})
    check_label(root, label("maybe", "yes"), where="data.csv")


def test_integers_are_compared_as_they_are_written(tmp_path):
    root = examples(tmp_path, {"train": [0, 1, 7]}, "int64")
    check_label(root, label(7), where="data.csv")
    check_label(root, label("7"), where="data.csv")
    assert "is never '07'" in refused(root, "07").what


def test_a_label_without_values_is_not_looked_at(tmp_path):
    exceeds = Binary.model_validate(
        {"name": "t", "exceeds": {"column": "a", "fraction": 1, "of": "b"}}
    )
    check_label(str(tmp_path / "nowhere"), exceeds, where="data.csv")


def test_values_that_are_there_are_shown_with_their_counts_and_the_nearest(tmp_path):
    root = examples(tmp_path, {"train": ["Yes", "no", "Yes"], "eval": ["no", "no"]})
    error = refused(root, "yes")
    assert error.what == (
        "the label 't' is 0 in every row: the column 'y' is never 'yes'; for 'yes', did you mean"
        " 'Yes'?"
    )
    assert (
        error.expected == "one of the values that the column has: 'no' in 3 rows, 'Yes' in 2 rows"
    )
    assert (
        error.remedy == "write the value in `label` as the column has it, or add rows that have one"
    )
    assert error.exit_code == 3


def test_spaces_around_values_are_seen_and_trim_is_named(tmp_path):
    root = examples(tmp_path, {"train": ["yes ", "no"], "test": ["yes "]})
    error = refused(root, "yes")
    assert "did you mean 'yes '?" in error.what
    assert "'yes ' in 2 rows" in error.expected
    assert "source.trim: true" in error.remedy


def test_many_and_long_values_are_cut_short(tmp_path):
    root = examples(tmp_path, {"train": [f"{n:03}" + "x" * 200 for n in range(50)]})
    error = refused(root, "yes")
    assert error.expected.endswith(", and 40 more")
    assert len(error.expected) < 1_000


@pytest.mark.parametrize(
    "kind", [Binary, Multiclass], ids=lambda kind: kind.model_fields["task"].default
)
def test_a_weight_of_what_is_no_class_is_named(tmp_path, kind):
    root = examples(tmp_path, {"train": ["ham", "spam", "ham"]})
    known = kind.model_validate({"column": "y", "class_weights": {"spam": 5}})
    check_label(root, known, where="data.csv")
    unknown = kind.model_validate({"column": "y", "class_weights": {"spam": 5, "hma": 1}})
    with pytest.raises(DataError, match=r"class_weights has 'hma'.*did you mean 'ham'"):
        check_label(root, unknown, where="data.csv")
