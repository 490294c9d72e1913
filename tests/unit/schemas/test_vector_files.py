"""Files of vectors as pipeline.yaml names them."""

import numpy as np
import pytest

from schemas import catalog
from tests.unit.schemas.conftest import refusal


@pytest.fixture
def vectors(folder):
    (folder.path / "v.txt").write_text("the 0.5 1\ncat 1 2\n")
    (folder.path / "words.txt").write_text("the\ncat\n")
    np.save(folder.path / "v.npy", np.ones((2, 3), np.float32))
    np.save(folder.path / "whole.npy", np.ones((2, 3), np.int64))
    (folder.path / "no.npy").write_bytes(b"nothing")
    (folder.path / "empty.txt").write_text("")
    return folder


def test_a_file_is_described_by_its_size_and_digest(vectors):
    vectors.change("  payment: vocabulary", "  payment: {pretrained: {vectors: v.txt}}")
    names = catalog.load(str(vectors)).spec.transformed_names
    assert [n for n in names if "pretrained" in n] == [
        f"payment_pretrained_{suffix}" for suffix in ("0", "1", "unknown", "missing")
    ]
    before = catalog.load(str(vectors)).spec.model_dump_json()
    (vectors.path / "v.txt").write_text("the 0.5 1\ncat 1 3\n")
    assert catalog.load(str(vectors)).spec.model_dump_json() != before


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ("", "this key is needed"),
        (": {vectors: nothing.txt}", "there is no file"),
        (": {vectors: empty.txt}", "the file has no vectors"),
        (": {vectors: no.npy}", "no.npy has no matrix of floats"),
        (": {vectors: whole.npy}", "whole.npy has no matrix of floats"),
        (": {vectors: v.npy}", "vectors in .npy need `terms`"),
        (": {vectors: v.txt, terms: words.txt}", "vectors in .npy need `terms`"),
        (": {vectors: v.npy, terms: [a]}", "terms has 1 words, and"),
        (": {vectors: v.txt, top_k: 90000000}", "lower top_k to 8,388,608"),
    ],
)
def test_files_that_cannot_be_used_are_refused_with_the_line(vectors, options, what):
    line = vectors.change("  payment: vocabulary", f"  payment: {{pretrained{options}}}")
    error = refusal(vectors)
    assert what in str(error)
    assert f"pipeline.yaml:{line}" in str(error) or ":1" in str(error) or ".npy" in str(error)
