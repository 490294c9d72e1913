"""Calls of a TensorFlow session, made once and called often.

`session_call` takes names of tensors and returns a function from arrays to arrays.
`Session.make_callable` does the same, but with feeds it calls `Session.run`, which checks each feed
in Python. For 500 columns this takes ten times as long as computing a row. The method below it
takes the arrays as they are; a TensorFlow without that method is only slower.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

if TYPE_CHECKING:
    Call = Callable[..., list[np.ndarray]]

_kept: set[type] = set()


def session_call(
    session: tf.compat.v1.Session, fetches: Sequence[str], feeds: Sequence[str]
) -> Call:
    """Return a function from values of `feeds`, arrays of their types, to those of `fetches`."""
    direct = getattr(session, "_make_callable_from_options", None)
    if direct is None:
        call: Call = session.make_callable(list(fetches), list(feeds))
    else:
        call = direct(config_pb2.CallableOptions(feed=feeds, fetch=fetches))
        _keep_to_the_end(type(call))
    return call


def _keep_to_the_end(calls: type) -> None:
    """Have no call released when the interpreter ends: it would fail, and print so.

    A server loads models for weeks, so this is registered once.
    """
    if calls not in _kept:
        _kept.add(calls)
        atexit.register(setattr, calls, "__del__", lambda _: None)
