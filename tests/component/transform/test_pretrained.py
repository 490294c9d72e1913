"""Means of given vectors, compared with numpy, in training and when the graph is loaded again."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components.transform.vector_files import read
from schemas.errors import DataError
from schemas.treatments.pretrained import Pretrained

pytestmark = pytest.mark.component

SIZE = 5
RNG = np.random.default_rng(2)
WORDS = ["the", "cat", "sat", "naïve", "New York", "日本", "rare"]
VECTORS = {word: RNG.normal(size=SIZE).astype(np.float32) for word in WORDS}
KNOWN = 6  # `top_k`
TEXTS = [
    *("the cat sat", "The cat, the dog", None, "", "  ", "zzz never", "naïve\tcat\u3000日本"),
    *("New York", "rare the", "cat " * 50, "the", "a\x00b"),
]
COLUMNS = {"plain": {}, "lower": {"normalize": ["lower", "punctuation"], "max_length": 3}}
COLUMNS |= {"place": {"of": "value"}, "array": {}}


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vectors")
    lines = [f"{w} {' '.join(map(repr, v.tolist()))}" for w, v in VECTORS.items()]
    (folder / "text.txt").write_text(f"{len(WORDS)} {SIZE}\n" + "\n".join(lines) + "\n")
    np.save(folder / "array.npy", np.stack([*VECTORS.values()]))
    return folder


@pytest.fixture(scope="module")
def transformed(run, paths):
    features = {
        name: {"pretrained": {"vectors": str(paths / "text.txt"), "top_k": KNOWN, **options}}
        for name, options in COLUMNS.items()
    }
    array = {"vectors": str(paths / "array.npy"), "terms": WORDS, "top_k": KNOWN}
    features["array"] = {"pretrained": array}
    rows = dict.fromkeys(COLUMNS, TEXTS)
    return run(dict.fromkeys(COLUMNS, "BYTES"), features, {"train": rows})


@pytest.mark.parametrize("name", list(COLUMNS))
def test_a_text_has_the_mean_of_its_known_words(transformed, name):
    got = transformed.split("train")
    for row, text in enumerate(TEXTS):
        words = [text or ""] if name == "place" else (text or "").split()
        if name == "lower":
            words = (text or "").lower().replace(",", " ").split()[:3]
        words = [word for word in words if word]
        known = [VECTORS[word] for word in words if word in WORDS[:KNOWN]]
        mean = np.mean(known, axis=0) if known else np.zeros(SIZE)
        found = [got[f"{name}_pretrained_{i}"][row] for i in range(SIZE)]
        np.testing.assert_allclose(found, mean, rtol=1e-5, atol=1e-6, err_msg=text)
        share = 1 - len(known) / len(words) if words else 0
        assert got[f"{name}_pretrained_unknown"][row] == pytest.approx(share)
        assert got[f"{name}_pretrained_missing"][row] == (not text)


def test_a_row_alone_has_the_same_bits_in_the_saved_graph(transformed):
    graph = tft.TFTransformOutput(str(transformed.graph)).transform_features_layer()
    train = transformed.split("train")
    for row, text in enumerate(TEXTS):
        inputs = {name: tf.ones(1) for name in ("tips", "of")}
        got = graph(inputs | {name: tf.constant([text or ""]) for name in COLUMNS})
        for feature in transformed.layout.features:
            assert got[feature.name].numpy()[0] == train[feature.name][row], feature.name


@pytest.mark.parametrize(
    ("lines", "line", "what"),
    [
        ("a 1 2\nb 1\n", 2, "there are 1 numbers"),
        ("a 1 2\nb 1 x\n", 2, "could not convert string to float"),
        ("a 1 2\nb 1 nan\n", 2, "a number is not finite"),
        ("a 1 2\nb 1 1e39\n", 2, "a number is not finite"),
        ("3 2\na 1 2\nb 1 2\na 3 4\n", 4, "'a' is there twice, first on line 2"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, lines, line, what):
    path = tmp_path / "v.txt"
    path.write_text(lines)
    with pytest.raises(DataError, match=what) as caught:
        read(Pretrained.model_validate({"vectors": str(path)}))
    assert caught.value.where == f"{path}:{line}"
    known, vectors = read(Pretrained.model_validate({"vectors": str(path), "top_k": 1}))
    assert (known, vectors.tolist()) == ([b"a"], [[1, 2]])


def test_another_content_is_an_error(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("a 1 2\n")
    options = Pretrained.model_validate({"vectors": str(path)})
    path.write_text("a 1 3\n")
    assert Pretrained.model_validate({"vectors": str(path)}) != options  # other digests
    with pytest.raises(DataError, match="has changed"):
        read(options)
    path.unlink()
    with pytest.raises(DataError, match="is not there"):
        read(options)
