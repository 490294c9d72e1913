"""Changes to bytes, drawn by hypothesis, like those of a faulty client, line or an attacker."""

from hypothesis import strategies as st

_PIECES = [
    b"",  # means any one byte
    b"\x00",
    b"\xff",
    b"\x80",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b"\x7f",
    b"%00",
    b"\xed\xa0\x80",  # half of a surrogate pair, encoded like UTF-8
    b"\xef\xbb\xbf",
    b"9" * 400,
    b"-1",
    b"A" * 9_000,
]


def _set(data, at, piece):
    return data[:at] + piece + data[at + len(piece) :]


def _insert(data, at, piece):
    return data[:at] + piece + data[at:]


def _cut(data, at, _):
    return data[:at]


def _drop(data, at, piece):
    return data[:at] + data[at + 1 + len(piece) :]


def _double(data, at, piece):
    end = at + 1 + 8 * len(piece)
    return data[:end] + data[at:]


_CHANGES = [_cut, _drop, _set, _insert, _double]

# Lists of changes, for `scrambled`: a number for each change selects what, where and with what.
changes = st.lists(st.integers(0, 2**40 - 1), min_size=1, max_size=4)


def scrambled(data, changes):
    """Return the bytes after the changes, each at an existing position."""
    for number in changes:
        number, what = divmod(number, len(_CHANGES))
        number, at = divmod(number, len(data) + 1)
        number, at_piece = divmod(number, len(_PIECES))
        data = _CHANGES[what](data, at, _PIECES[at_piece] or bytes([number % 256]))
    return data
