"""The hash that determines splits: golden values, and what it depends on."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.ingest.hashing import hash_rows, mix, permutation, scatter
from components.ingest.splits.hash import assign
from schemas.splits.hash import Hash

MASK = (1 << 64) - 1
SHARES = Hash(key=("k",)).shares
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)


def ints(*values):
    return pa.array(values, pa.int64())


def floats(*values):
    return pa.array(values, pa.float32())


def text(*values):
    return pa.array(values, pa.string())


def slow_mix(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def slow_text(value):
    data, h = value.encode(), 0x082EFA98EC4E6C89
    for at in range(0, len(data), 8):
        h = slow_mix(h ^ int.from_bytes(data[at : at + 8], "little"))
    return slow_mix(h ^ len(data))


def slow_row(*values):
    h = 0x243F6A8885A308D3
    for value in values:
        h = slow_mix(h ^ value)
    return h


def test_mix_is_splitmix64():
    # the reference implementation's first three numbers from seed 1234567
    state = [(1234567 + i * 0x9E3779B97F4A7C15) & MASK for i in range(3)]
    assert mix(np.array(state, np.uint64)).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([ints(0)], "4465ca51fafcc8a3"),
        ([ints(-1)], "56293e99e8c41aa9"),
        ([ints(2**53)], "2bb239d82d6f7e1d"),
        ([floats(12.45)], "39d904d2b8d4878a"),
        ([floats(0.0)], "04dce55af8a69c36"),
        ([floats(-1e-40)], "52a54cded27176f5"),
        ([text("")], "76dc591587194033"),
        ([text("Cash")], "adfe141ae58090d2"),
        ([text("Chicago Elite Cab Corp.")], "60d64381db1563e6"),
        ([text("12345678")], "215f0b2c4538fcb6"),
        ([text("naïve 日本")], "928fc53a8e105e72"),
        ([text(None)], "d9b0e90647895923"),
        ([ints(1400269500), floats(12.45), text("Cash"), text(None)], "58075991cd87932e"),
    ],
)
def test_golden_values(columns, expected):
    # If this fails, existing data would be split differently: do not change the values.
    assert f"{hash_rows(columns)[0]:016x}" == expected


def test_an_integer_is_hashed_by_its_definition():
    expected = [slow_row(slow_mix((v & MASK) ^ 0x13198A2E03707344)) for v in (0, 5, -1, 2**53)]
    assert hash_rows([ints(0, 5, -1, 2**53)]).tolist() == expected


@settings(deadline=None)
@given(st.lists(TEXT | st.none(), min_size=1))
def test_text_is_hashed_by_its_definition(values):
    expected = [slow_row(0x452821E638D01377 if v is None else slow_text(v)) for v in values]
    assert hash_rows([text(*values)]).tolist() == expected


@settings(deadline=None)
@given(st.lists(TEXT | st.none(), min_size=3))
def test_a_slice_hashes_as_its_rows(values):
    whole = text(*values)
    assert hash_rows([whole[1:-1]]).tolist() == hash_rows([whole]).tolist()[1:-1]


def test_negative_zero_is_zero():
    hashes = hash_rows([floats(0.0, -0.0)])
    assert hashes[0] == hashes[1]


def test_null_zero_and_empty_differ():
    hashes = {
        *hash_rows([ints(None, 0)]).tolist(),
        *hash_rows([text("", "\0", "\0\0")]).tolist(),
        *hash_rows([floats(0.0)]).tolist(),
    }
    assert len(hashes) == 6


def test_null_is_null_whatever_the_type():
    assert hash_rows([ints(None)])[0] == hash_rows([text(None)])[0] == hash_rows([floats(None)])[0]


def test_the_order_of_the_key_columns_counts():
    assert hash_rows([ints(1), ints(2)])[0] != hash_rows([ints(2), ints(1)])[0]


def test_equal_values_in_two_columns_do_not_cancel():
    hashes = hash_rows([ints(1, 2, 3), ints(1, 2, 3)])
    assert len(set(hashes.tolist())) == 3


def test_no_rows_and_no_columns():
    assert hash_rows([text(), ints(), floats()]).shape == (0,)
    with pytest.raises(ValueError, match="at least one key column"):
        hash_rows([])


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="halffloat"):
        hash_rows([pa.array([np.float16(1)], pa.float16())])


def test_doubles_are_hashed_by_all_their_bits():
    values = pa.array([0.0, -0.0, 0.1, float(np.float32(0.1)), None])
    hashes = hash_rows([values]).tolist()
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 4


def test_shares_are_as_configured():
    hashes = hash_rows([ints(*range(200_000))])
    shares = np.bincount(assign(hashes, SHARES), minlength=3) / 200_000
    assert shares == pytest.approx([0.70, 0.15, 0.15], abs=0.005)


def test_shares_of_text_keys_are_as_configured():
    hashes = hash_rows([text(*(f"customer-{i:08d}" for i in range(50_000)))])
    shares = np.bincount(assign(hashes, SHARES), minlength=3) / 50_000
    assert shares == pytest.approx([0.70, 0.15, 0.15], abs=0.01)


def test_bounds_of_the_splits():
    def at(fraction):
        return np.array([int(fraction * 2**64)], np.uint64)

    assert assign(np.array([0, MASK], np.uint64), SHARES).tolist() == [0, 2]
    shares = (0.5, 0.25, 0.25)
    eps = 2.0**-53
    found = [int(assign(at(f), shares)[0]) for f in (0.5 - eps, 0.5, 0.75 - eps, 0.75)]
    assert found == [0, 1, 1, 2]


def test_a_larger_training_share_takes_no_row_out_of_training():
    hashes = hash_rows([ints(*range(10_000))])
    small = assign(hashes, (0.6, 0.2, 0.2)) == 0
    large = assign(hashes, (0.8, 0.1, 0.1)) == 0
    assert (small <= large).all()


def test_a_permutation_is_one_and_repeats():
    first = permutation(3, 10_000)
    assert sorted(first.tolist()) == list(range(10_000))
    assert first.tolist() == permutation(3, 10_000).tolist()
    assert first.tolist() != permutation(4, 10_000).tolist()
    assert abs(np.corrcoef(first, np.arange(10_000))[0, 1]) < 0.05
    assert permutation(0, 0).shape == (0,)


def test_scatter_is_even_and_goes_on_where_it_stopped():
    bins = np.full(30_000, 3)
    numbers = np.arange(30_000)
    whole = scatter(7, numbers, bins)
    parts = [
        scatter(7, numbers[:11_000], bins[:11_000]),
        scatter(7, numbers[11_000:], bins[11_000:]),
    ]
    assert np.bincount(whole) / 30_000 == pytest.approx([1 / 3] * 3, abs=0.01)
    assert whole.tolist() == np.concatenate(parts).tolist()
    assert whole.tolist() != scatter(8, numbers, bins).tolist()


def test_scatter_keeps_to_each_rows_bins():
    bins = np.array([1, 2, 5] * 1000)
    found = scatter(0, np.arange(3000), bins)
    assert (found < bins).all()
    assert set(found[bins == 5].tolist()) == {0, 1, 2, 3, 4}
