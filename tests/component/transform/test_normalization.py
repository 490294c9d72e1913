"""Texts after each step of `normalize`, compared with Python's `unicodedata`."""

from __future__ import annotations

import re
import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.transform.normalization import letter_after, normalized
from schemas.normalization import STEPS

pytestmark = pytest.mark.component


def wide(text: str) -> str:
    """Return a text in full-width letters."""
    return "".join(chr(ord(letter) + 0xFEE0) for letter in text)


TEXTS = [
    *("", " ", "Two  Words", "İI i\u0131", wide("FULL") + " " + wide("width"), "ﬁne ½ ①"),
    *("naïve nai\u0308ve", "Straße", "한국어 각", "q\u0307\u0323 q\u0323\u0307", "\u0323\u0307x"),
    *("\u0391\u03a3 \u03a3", "a\tb\r\nc\u3000d\u00a0e", "¿Qué? «ja» don't (a+b)=c_d!", "日本。語"),
    *("".join(map(chr, range(128))), " \x1f ", "a  .b\v", "plain words"),
    *("\U0001d400 \U0001f600", "Ǆ\u0301\u0327", "e\u0301" * 300),
]
LETTERS = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from("aAßİé\u0301\u0323\u0307\u05b0ﬁ각ᄀ\u1161 \u3000.!Σ"),
)


def reference(text: str, steps: tuple[str, ...]) -> str:
    if "nfkd" in steps or "accents" in steps:
        text = unicodedata.normalize("NFKD", text)
    text = "".join(letter_after(letter, [s for s in steps if s != "nfkd"]) for letter in text)
    return re.sub(" +", " ", text).strip() if "whitespace" in steps else text


@pytest.mark.parametrize(
    "steps",
    [*((step,) for step in STEPS), STEPS, ("lower", "accents", "punctuation"), ("nfkd", "lower")],
    ids="-".join,
)
def test_texts_are_as_unicode_has_them(steps):
    graph = tf.function(
        lambda text: normalized(text, steps), input_signature=[tf.TensorSpec([None], tf.string)]
    )

    def check(texts: list[str]) -> None:
        got = [text.decode() for text in graph(tf.constant(texts, tf.string)).numpy()]
        assert got == [reference(text, steps) for text in texts]

    check(TEXTS)
    check([])
    check(["ASCII alone!"])
    check(["É"])

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.text(LETTERS, max_size=12), min_size=1, max_size=20))
    def check_any(texts: list[str]) -> None:
        check(texts)

    check_any()


def test_words_are_the_same_before_white_space_is_collapsed():
    texts = tf.constant([*TEXTS, "\x1ca\x1f\tb"])
    whole, part = (normalized(texts, STEPS, collapse=own) for own in (True, False))
    assert tf.strings.split(part).to_list() == tf.strings.split(whole).to_list()


def test_the_same_text_in_other_forms_becomes_equal():
    text = wide("Cre") + "\u0300me \u2014 brûlée!"
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        other = unicodedata.normalize(form, text)
        assert normalized(tf.constant(other), STEPS).numpy() == b"creme brulee"
        assert normalized(tf.constant(other), ("nfkd",)).numpy().decode() == (
            unicodedata.normalize("NFKD", text)
        )
    assert normalized(tf.constant("A"), ()).numpy() == b"A"
