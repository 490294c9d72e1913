"""Digests of the contents of files."""

import hashlib
import os

import pytest

from components import content


def write(folder, **held):
    for name, data in held.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return str(folder)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 9 << 20])
def test_a_file_has_the_sha_256_of_its_content_however_many_are_read(tmp_path, size):
    held = {str(tmp_path / name): os.urandom(size) for name in "abc"}
    for path, data in held.items():
        with open(path, "wb") as file:
            file.write(data)
    digests = content.of_files({path: len(data) for path, data in held.items()})
    assert digests == {path: hashlib.sha256(data).hexdigest() for path, data in held.items()}


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        content.of_files({str(tmp_path / "gone"): 20 << 20, str(tmp_path / "away"): 20 << 20})


def test_a_folder_is_known_by_names_and_contents_alone(tmp_path):
    folder = write(tmp_path / "a", x=b"1", deep__y=b"2")
    assert content.of_folder(folder) == content.of_folder(
        write(tmp_path / "b", x=b"1", deep__y=b"2")
    )
    others = [{"x": b"2", "deep__y": b"1"}, {"x": b"1", "y": b"2"}, {"x": b"12", "deep__y": b""}]
    for number, held in enumerate(others):
        other = write(tmp_path / f"other{number}", **held)
        assert content.of_folder(other) != content.of_folder(folder)
    assert content.of_folder(folder, without={"x"}) == content.of_folder(
        write(tmp_path / "c", deep__y=b"2")
    )
