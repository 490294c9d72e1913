"""Compressed bodies: all output of gzip and zlib is read, within the limits."""

import gzip
import random
import time
import zlib

import pytest

from components.serve.failures import RequestError
from components.serve.unpacking import is_packed, unpacked, unpacked_small

MOST = 16 << 20
TEXT = random.Random(1).randbytes(300_000)


@pytest.mark.parametrize("plain", [b"", b"x", TEXT, b"rows" * 250_000, TEXT[:9_000] * 100], ids=len)
@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "zlib"])
def test_what_is_packed_is_unpacked(plain, pack):
    packed = pack(plain)
    assert is_packed(packed)
    assert unpacked(packed, MOST) == plain
    assert unpacked_small(packed, MOST) in (plain, None)
    if len(plain) < 1_000:
        assert unpacked_small(packed, MOST) == plain


@pytest.mark.parametrize("parts", [[b"ab", b"cd"], [b"", b"x", b""], [TEXT, TEXT, b"y"]])
def test_several_members_are_one_body(parts):
    packed = b"".join(map(gzip.compress, parts))
    assert unpacked_small(packed, MOST) is None
    assert unpacked(packed, MOST) == b"".join(parts)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "it is cut off"),
        (b"no gzip", "incorrect header check"),
        (gzip.compress(TEXT, mtime=0)[:-9], "it is cut off"),
        (gzip.compress(b"x", mtime=0) + b"y", "it is cut off"),
        (gzip.compress(b"x", mtime=0) + zlib.compress(b"y"), "incorrect header check"),
        (gzip.compress(b"x", mtime=0) + gzip.compress(b"y", mtime=0)[:-1], "it is cut off"),
        (zlib.compress(b"x") + zlib.compress(b"y"), "more follows its end"),
        (gzip.compress(b"", mtime=0) * 1_001, "more than 1000 members"),
    ],
)
def test_what_is_not_whole_is_refused(body, why):
    with pytest.raises(RequestError, match=why) as caught:
        unpacked(body, MOST)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("plain", "most"),
    [
        (b"x" * 1_001, 1_000),
        (TEXT, len(TEXT) - 1),
        (bytes(2 << 20), MOST),  # a thousandth of its size
        (bytes(64 << 20), 128 << 20),
    ],
    ids=["short", "long", "zeros", "bomb"],
)
def test_what_becomes_too_large_is_refused(plain, most):
    packed = gzip.compress(plain, 1)
    started = time.process_time()
    with pytest.raises(RequestError) as caught:
        unpacked(packed, most)
    assert caught.value.status == 413
    assert time.process_time() - started < 0.5  # not after all of it


def test_equal_rows_are_no_attack():
    rows = b'{"fare": 12.5, "company": "Flash Cab"},' * 20_000  # 780 KB
    packed = gzip.compress(rows)
    assert len(packed) * 100 < len(rows)
    assert unpacked(packed, MOST) == rows


def test_no_serialised_request_is_taken_for_a_packed_one():
    assert not any(map(is_packed, (b"", b"\x0a", b"\x0a\x06taxi", b"\x12\x00", b"x", b"xx")))
