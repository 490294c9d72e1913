"""A label that is a column of two values: the graph and `learn` agree on the positive one."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from components.tasks import binary
from schemas import signatures as names
from schemas.errors import DataError
from schemas.tasks.binary import Binary, BinaryExport

pytestmark = pytest.mark.component


def transformed(tmp_path, values, **options):
    """Return the labels of the values, and what is learned from them."""
    label = Binary.model_validate({"column": "y", **options})
    kind = tf.int64 if isinstance(values[0], int) else tf.string
    spec = {"y": tf.io.FixedLenFeature([], kind)}
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    with tft_beam.Context(temp_dir=str(tmp_path / "temp")):
        (rows, _), graph = ([{"y": value} for value in values], metadata) | (
            tft_beam.AnalyzeAndTransformDataset(lambda inputs: {"l": binary.label(inputs, label)})
        )
        graph | tft_beam.WriteTransformFn(str(tmp_path))
    return [int(row["l"]) for row in rows], binary.learn(str(tmp_path), label)


@pytest.mark.parametrize(
    ("values", "options", "labels", "classes"),
    [
        (["Yes", "No", "Yes"], {}, [1, 0, 1], ["No", "Yes"]),
        (["stayed", "left", "stayed"], {}, [0, 1, 0], ["stayed", "left"]),
        (["stayed", "left", "stayed"], {"positive": "stayed"}, [1, 0, 1], ["left", "stayed"]),
        (["stayed", "left", "stayed"], {"positive": "left"}, [0, 1, 0], ["stayed", "left"]),
        ([1, 1, 0, 1], {}, [1, 1, 0, 1], ["0", "1"]),
        ([2, 1, 1], {}, [1, 0, 0], ["1", "2"]),
    ],
)
def test_the_graph_numbers_the_values_as_they_are_learned(
    tmp_path, values, options, labels, classes
):
    assert transformed(tmp_path, values, **options) == (labels, {"classes": classes})


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
