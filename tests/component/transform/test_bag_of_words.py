"""Bags of n-grams, compared with scikit-learn's vectorizers."""

from __future__ import annotations

import itertools
import unicodedata
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from components.transform.normalization import normalized
from components.transform.treatments.bag_of_words import FILE_NAME, boundaries, learn
from components.transform.treatments.protocol import Use
from components.transform.vocabularies import read
from schemas.errors import DataError
from schemas.treatments.bag_of_words import BagOfWords

pytestmark = pytest.mark.component

TRAIN = [
    *("The cat sat", "the CAT, the dog!", None, "", "   ", "!!! ???", "a naïve nai\u0308ve cat"),
    *("日本 日本 the", "x", "dog " * 300, "the\ncat sat\u3000on", "\uff34\uff28\uff25 end"),
]
TEST = ["zzz never", None, "CAT cat the dog", "sat cat the", "e\u0301" * 5_000, "???", "naive the"]
ROWS = {"train": TRAIN, "test": TEST}
COLUMNS: dict[str, dict[str, Any]] = {
    "words": {"ngram_range": [1, 2]},
    "counts": {"tf_idf": False, "min_count": 1, "top_k": 5, "ngram_range": [1, 1]},
    "chars": {"analyzer": "char", "ngram_range": [2, 3], "max_length": 9, "normalize": ["nfkd"]},
    "hashed": {"ngram_range": [1, 2], "hash_buckets": 50, "max_length": 4, "combine": "sum"},
}


@pytest.fixture(scope="module")
def transformed(run):
    features = {name: {"bag_of_words": options} for name, options in COLUMNS.items()}
    splits = {split: dict.fromkeys(COLUMNS, rows) for split, rows in ROWS.items()}
    return run(dict.fromkeys(COLUMNS, "BYTES"), features, splits)


def documents(rows, steps, max_length, is_word):
    texts = normalized(tf.constant([text or "" for text in rows]), (*steps, "whitespace")).numpy()
    for text in (each.decode() for each in texts):
        parts = text.split() if is_word else list(text)
        yield (" " if is_word else "").join(parts[:max_length])


def vectorizer(kind, name, train):
    options = COLUMNS[name]
    made = kind(
        analyzer=options.get("analyzer", "word"),
        ngram_range=tuple(options.get("ngram_range", (1, 1))),
        token_pattern=None if name == "chars" else r"\S+",
        lowercase=False,
        min_df=options.get("min_count", 2),
    )
    return made.fit([doc for doc, raw in zip(train, TRAIN, strict=True) if raw])


@pytest.mark.parametrize("split", ROWS)
@pytest.mark.parametrize("name", ["words", "counts", "chars"])
def test_bags_are_those_of_scikit_learn(transformed, name, split):
    options = COLUMNS[name]
    form = (
        options.get("normalize", ("lower", "accents", "punctuation")),
        options.get("max_length", 200),
        name != "chars",
    )
    weighted = options.get("tf_idf", True)
    kind = TfidfVectorizer if weighted else CountVectorizer
    reference = vectorizer(kind, name, list(documents(TRAIN, *form)))
    expected = reference.transform(list(documents(ROWS[split], *form))).toarray()
    path = transformed.graph / "transform_fn" / "assets" / FILE_NAME
    learned = [list(c) for c in COLUMNS if c != "hashed"]
    terms = [t.decode() for t in read(str(path), len(learned))[list(COLUMNS).index(name)].terms]
    if name != "counts":
        assert set(terms) == set(reference.vocabulary_)
    got = transformed.split(split)
    for row, ids in enumerate(got[f"{name}_bag_of_words"]):
        weights = got[f"{name}_bag_of_words_weight"][row] if weighted else [1.0] * len(ids)
        if not ROWS[split][row]:
            assert (ids, weights) == ([0], [1.0])
            continue
        dense = np.zeros(len(terms))
        np.add.at(dense, np.array(ids, int) - 1, weights)
        own = expected[row][[reference.vocabulary_[term] for term in terms]]
        np.testing.assert_allclose(dense, own, rtol=1e-6)
        assert not weighted or len(set(ids)) == len(ids)


def test_terms_are_by_falling_number_of_texts_ties_by_bytes(transformed):
    path = transformed.graph / "transform_fn" / "assets" / FILE_NAME
    words, counts, _ = read(str(path), 3)
    assert words.terms[:5] == [b"the", b"cat", b"the cat", b"cat sat", b"dog"]
    assert counts.terms == [b"the", b"cat", b"dog", b"sat", b"a"]
    sizes = {f.name: (f.size, f.role, f.combine, f.weights) for f in transformed.layout.features}
    assert sizes["words_bag_of_words_weight"] == (0, "weight", "sum", "")
    assert sizes["counts_bag_of_words"] == (6, "embedding", "mean", "")
    assert sizes["hashed_bag_of_words"] == (51, "embedding", "sum", "")
    assert [f.name for f in transformed.layout.lists] == [f"{c}_bag_of_words" for c in COLUMNS]


def test_hashes_know_every_ngram(transformed):
    number: dict[str, int] = {}
    for split, rows in ROWS.items():
        ids = transformed.split(split)["hashed_bag_of_words"]
        form = (("lower", "accents", "punctuation"), 4, True)
        for raw, text, own in zip(rows, documents(rows, *form), ids, strict=True):
            words = text.split()
            grams = [*words, *(" ".join(pair) for pair in itertools.pairwise(words))]
            assert own == (
                [number.setdefault(g, i) for g, i in zip(grams, own, strict=True)] if raw else [0]
            )
            assert len(own) == (len(grams) if raw else 1)
    assert all(1 <= each <= 50 for each in number.values())


def test_the_saved_graph_gives_what_was_written_in_any_form_of_unicode(transformed):
    graph = tft.TFTransformOutput(str(transformed.graph)).transform_features_layer()
    for form in ("NFC", "NFKD"):
        texts = [unicodedata.normalize(form, text or "") for text in TRAIN]
        inputs = {name: tf.ones(len(TRAIN)) for name in ("tips", "of")}
        outputs = graph(inputs | {name: tf.constant(texts) for name in COLUMNS})
        for feature in transformed.layout.features:
            written = transformed.split("train")[feature.name]
            assert outputs[feature.name].to_list() == written


def test_a_text_without_an_ngram_to_learn_is_an_error(tmp_path):
    (tmp_path / "transform_fn" / "assets").mkdir(parents=True)
    (tmp_path / "transform_fn" / "assets" / FILE_NAME).write_bytes(b"0\t\n0\tthe\n1\t\n2\t\n")
    uses = [Use("bag_of_words", (name,), BagOfWords()) for name in ("title", "note")]
    with pytest.raises(DataError, match="no n-gram of 'note' occurs in 2 rows"):
        learn(str(tmp_path), uses)
    hashed = Use("bag_of_words", ("note",), BagOfWords(hash_buckets=8))
    assert learn(str(tmp_path / "none"), [hashed]) == [0]


def test_a_proof_tries_known_ngrams_alone_together_and_in_a_text_that_is_cut(transformed):
    found = boundaries(str(transformed.graph), transformed.layout.features)["words"]
    tried = [each for each in found if isinstance(each, bytes)]
    assert tried == found
    assert tried[0] == b"the"
    assert any(b"the" in each and each.endswith(b"never seen") for each in tried)
    assert len(tried[-1].split()) > BagOfWords().max_length
    assert all(boundaries("none", transformed.layout.features).values())  # hashes alone
