"""TFRecords, whole and damaged: what can be read is read, what cannot is counted."""

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import tfrecords
from components.tfrecords import Damage
from tests.tfrecord_files import framed

RECORDS = [b"first", b"", b"\0" * 300, bytes(range(256)) * 9, b"last"]
HEAD, TAIL = 12, 4


def read(data):
    damage = Damage()
    return list(tfrecords.records(io.BytesIO(data), damage)), damage


WHOLE = b"".join(map(framed, RECORDS))
STARTS = [sum(len(framed(r)) for r in RECORDS[:n]) for n in range(len(RECORDS) + 1)]


def test_a_strict_reader_ends_at_the_first_damage():
    for at, expected in ((3, Damage(gaps=1)), (HEAD, Damage(records=1))):
        damage = Damage()
        changed = bytearray(WHOLE)
        changed[STARTS[2] + at] ^= 1
        found = list(tfrecords.records(io.BytesIO(changed), damage, strict=True))
        assert (found, damage) == (RECORDS[:2], expected)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_whole_records_are_read(pack):
    assert read(pack(WHOLE)) == (RECORDS, Damage())
    assert read(b"") == ([], Damage())


def test_gzip_of_several_members_is_one_file():
    cut = STARTS[2] + 5
    packed = gzip.compress(WHOLE[:cut]) + gzip.compress(WHOLE[cut:])
    assert read(packed) == (RECORDS, Damage())


@given(st.integers(0, len(WHOLE)))
def test_a_file_that_is_cut_off_is_read_up_to_there(size):
    found, damage = read(WHOLE[:size])
    assert found == RECORDS[: sum(start <= size for start in STARTS[1:])]
    assert damage == Damage(cut=size not in STARTS)


@given(st.data())
def test_a_changed_byte_costs_one_record(data):
    at = data.draw(st.integers(0, len(WHOLE) - 1))
    changed = bytearray(WHOLE)
    changed[at] ^= data.draw(st.integers(1, 255))
    hit = sum(start <= at for start in STARTS) - 1
    found, damage = read(bytes(changed))
    assert found == RECORDS[:hit] + RECORDS[hit + 1 :]
    in_head = at - STARTS[hit] < HEAD
    assert damage == Damage(records=not in_head, gaps=in_head)


@given(st.data())
def test_a_gzipped_file_that_is_cut_off_or_changed_is_read_up_to_there(data):
    packed = gzip.compress(WHOLE * 3)
    size = data.draw(st.integers(2, len(packed) - 1))
    found, damage = read(packed[:size])
    assert found == (RECORDS * 3)[: len(found)]
    assert damage.cut


def test_more_than_a_chunk_is_read(monkeypatch):
    monkeypatch.setattr(tfrecords, "_CHUNK", 16)
    changed = bytearray(WHOLE)
    changed[STARTS[2]] ^= 1
    for data, expected in ((WHOLE, RECORDS), (bytes(changed), RECORDS[:2] + RECORDS[3:])):
        for packed in (data, gzip.compress(data)):
            assert read(packed)[0] == expected


def test_zeros_that_a_crash_left_are_skipped_quickly():
    found, damage = read(framed(b"a") + bytes(20 << 20) + framed(b"b"))
    assert (found, damage) == ([b"a", b"b"], Damage(gaps=1))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_to_their_end(data):
    found, damage = read(data)
    assert bool(damage) == bool(data)
    assert not found
