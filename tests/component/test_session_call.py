"""Calls of a session: what the public way gives, whichever way TensorFlow has."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from components.session_call import session_call

FEEDS = ["number:0", "text:0"]
FETCHES = ["doubled:0", "joined:0"]


@pytest.fixture
def session():
    """A session of a graph that doubles positive numbers and repeats texts."""
    with tf.Graph().as_default() as graph:
        number = tf.compat.v1.placeholder(tf.float32, [None], name="number")
        text = tf.compat.v1.placeholder(tf.string, [None], name="text")
        with tf.control_dependencies([tf.debugging.assert_positive(number, "not positive")]):
            tf.multiply(number, 2.0, name="doubled")
        tf.strings.join([text, text], name="joined")
    with tf.compat.v1.Session(graph=graph) as session:
        yield session


@pytest.fixture(params=["direct", "public"])
def call(session, request, monkeypatch):
    """A call of it, by what TensorFlow has below its public way, and by that."""
    assert hasattr(session, "_make_callable_from_options")
    if request.param == "public":
        monkeypatch.setattr(session, "_make_callable_from_options", None)
    return session_call(session, FETCHES, FEEDS)


def test_arrays_go_in_and_come_out(call):
    doubled, joined = call(np.array([1.5, 2.0], np.float32), np.array([b"\0a\0", b""], object))

    assert doubled.dtype == np.float32
    assert doubled.tolist() == [3.0, 4.0]
    assert joined.tolist() == [b"\0a\0\0a\0", b""]


def test_what_the_graph_refuses_is_an_error_of_tensorflow(call):
    with pytest.raises(tf.errors.InvalidArgumentError, match="not positive"):
        call(np.array([-1.0], np.float32), np.array([b""], object))
