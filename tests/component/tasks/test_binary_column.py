"""A label that is a column of two values: the graph and `learn` agree on the positive one."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from components.tasks import binary, label_values
from schemas import signatures as names
from schemas.errors import DataError
from schemas.tasks.binary import Binary, BinaryExport

pytestmark = pytest.mark.component


# Values of a column, options of its label, the labels of the values, and the classes.
LABELS: list[tuple[list[Any], dict[str, Any], list[int], list[str]]] = [
    (["Yes", "No", "Yes", "Yes"], {}, [1, 0, 1, 1], ["No", "Yes"]),
    (["stayed", "left", "stayed", "stayed"], {}, [0, 1, 0, 0], ["stayed", "left"]),
    (
        ["stayed", "left", "stayed", "stayed"],
        {"positive": "stayed"},
        [1, 0, 1, 1],
        ["left", "stayed"],
    ),
    (
        ["stayed", "left", "stayed", "stayed"],
        {"positive": "left"},
        [0, 1, 0, 0],
        ["stayed", "left"],
    ),
    ([1, 1, 0, 1], {}, [1, 1, 0, 1], ["0", "1"]),
    ([2, 1, 1, 1], {}, [1, 0, 0, 0], ["1", "2"]),
]


@pytest.fixture
def name_file(monkeypatch):
    """Name the file of a label's values, of which a graph otherwise has one."""
    return lambda at: monkeypatch.setattr(label_values, "_FILE_NAME", f"label_{at}")


def test_the_graph_numbers_the_values_as_they_are_learned(tmp_path, name_file):
    """All labels are made in one graph, since each graph takes seconds."""
    options = [
        Binary.model_validate({"column": f"y{at}", **given})
        for at, (_, given, *_) in enumerate(LABELS)
    ]
    columns = {f"y{at}": values for at, (values, *_) in enumerate(LABELS)}

    def labels(inputs):
        outputs = {}
        for at, label in enumerate(options):
            name_file(at)
            outputs[str(at)] = binary.label(inputs, label)
        return outputs

    spec = {
        name: tf.io.FixedLenFeature([], tf.int64 if isinstance(values[0], int) else tf.string)
        for name, values in columns.items()
    }
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    given = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    with tft_beam.Context(temp_dir=str(tmp_path / "temp")):
        (rows, _), graph = (given, metadata) | tft_beam.AnalyzeAndTransformDataset(labels)
        graph | tft_beam.WriteTransformFn(str(tmp_path))
    for at, (_, _, expected, classes) in enumerate(LABELS):
        name_file(at)
        assert [int(row[str(at)]) for row in rows] == expected
        assert binary.learn(str(tmp_path), options[at]) == {"classes": classes}


def test_answers_name_the_values():
    label = Binary.model_validate({"column": "y"})
    learned = {"classes": ["stayed", "left"]}
    logits = tf.constant([-2.0, 2.0])
    answers = binary.answers(label, BinaryExport(), learned)
    assert answers[names.PREDICT](logits)["class"].numpy().tolist() == [b"stayed", b"left"]
    classified = answers[names.CLASSIFICATION](logits)["classes"].numpy().tolist()
    assert classified == [[b"stayed", b"left"]] * 2
    named = BinaryExport(classes=("0", "1"))
    assert binary.answers(label, named, learned)[names.PREDICT](logits)["class"][0] == b"0"


def weighed(*labels):
    """Return labels with weights of 1."""
    return [(np.array(labels), np.ones(len(labels)))]


def test_the_choice_of_the_positive_value_is_reported():
    label, learned = Binary.model_validate({"column": "y"}), {"classes": ["stayed", "left"]}
    head = binary.head(weighed(0, 1, 0, 0), label, learned, where="examples")
    assert head.remark == "class 1 of 'y' is 'left', 0.25 of the training rows"
    chosen = Binary.model_validate({"column": "y", "positive": "left"})
    assert not binary.head(weighed(0, 1), chosen, learned, where="examples").remark


def test_one_value_cannot_be_learned():
    label = Binary.model_validate({"column": "y"})
    with pytest.raises(DataError, match="is 0 in all 2 training rows"):
        binary.head(weighed(0, 0), label, {}, where="examples")
