"""Arrays arrive unchanged in another process."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.parity.wire import read_arrays, write_arrays


def objects(*values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "arrays.arrow")


def test_every_type_and_shape_arrives(path):
    arrays = {
        "hours-per-week": np.array([1.5, np.nan, -np.inf], np.float32),
        "a/b\n": np.array([2.0**53, np.nan, -0.0]),
        "naïve": objects(b"", b"\x00x\x00", b"\xff" * 3),
        "": np.array([1, -(2**63), 2**63 - 1]),
        "scores": np.array([[1, 2], [3, 4], [5, 6]], np.float32),
    }
    arrays["classes"] = objects(b"a", b"b", b"c", b"", b"\x00", b"f").reshape(3, 2)
    write_arrays(path, arrays)
    read = read_arrays(path)

    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype, name
        assert read[name].shape == array.shape, name
        if array.dtype == object:
            assert read[name].tolist() == array.tolist()
        else:
            assert read[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("array", [np.array([], np.float32), objects(), np.zeros((0, 2))])
def test_no_rows_arrive_as_no_rows(path, array):
    write_arrays(path, {"x": array})
    read = read_arrays(path)["x"]

    assert (read.shape, read.dtype) == (array.shape, array.dtype)


@given(st.lists(st.binary()))
def test_any_bytes_arrive(tmp_path_factory, values):
    path = str(tmp_path_factory.mktemp("wire") / "x.arrow")
    write_arrays(path, {"x": objects(*values)})

    assert read_arrays(path)["x"].tolist() == values
