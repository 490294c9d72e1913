"""What is remembered about files, and when they are read again."""

import hashlib
import json
import os
import time

import pytest

from components import content
from pipeline import digest_cache
from pipeline.digest_cache import DigestCache

HOUR = 3600 * 10**9


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def later(monkeypatch):
    """Let files be written an hour before they are digested, so that their times are settled."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + HOUR)


@pytest.fixture
def read(monkeypatch):
    """Return the paths of the files that were read since the last call."""
    paths = []
    of_files = content.of_files

    def counting(sizes):
        paths.extend(sizes)
        return of_files(sizes)

    def read_paths():
        found = [os.path.basename(path) for path in paths]
        paths.clear()
        return found

    monkeypatch.setattr(content, "of_files", counting)
    return read_paths


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("abc")
    return path


@pytest.fixture
def digest(tmp_path):
    """Digest a file with a cache that is opened and saved only for that."""

    def one(path):
        with digest_cache.opened(tmp_path / "digests.json") as cache:
            return cache.digests([str(path)])[str(path)]

    return one


def test_what_looks_unchanged_is_not_read_again(file, digest, read, later):
    assert [digest(file), digest(file)] == [sha("abc")] * 2
    assert read() == ["a.csv"]


def test_equal_size_and_mtime_do_not_hide_a_change(file, digest, read, later):
    digest(file)
    before = file.stat()
    file.write_text("abd")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (3, before.st_mtime_ns)
    assert digest(file) == sha("abd")
    assert read() == ["a.csv"] * 2


def test_another_file_of_equal_times_in_its_place_is_read(
    file, digest, tmp_path, monkeypatch, later
):
    """For example on a file system without ctime: the inode shows it."""
    digest(file)
    look = digest_cache._Look.at(str(file))
    other = tmp_path / "other"
    other.write_text("abd")
    os.replace(other, file)
    stat = file.stat()
    same = digest_cache._Look(look.size, look.modified_ns, look.changed_ns, stat.st_ino)
    monkeypatch.setattr(digest_cache._Look, "at", lambda path: same)
    assert stat.st_ino != look.inode
    assert digest(file) == sha("abd")


def test_a_touched_file_is_read_again_and_holds_the_same(file, digest, read, later):
    first = digest(file)
    os.utime(file, ns=(1, 1))
    assert digest(file) == first
    assert read() == ["a.csv"] * 2


def test_a_file_that_just_changed_is_read_again_until_its_time_is_settled(file, digest, read):
    digest(file)
    digest(file)
    assert read() == ["a.csv"] * 2


@pytest.mark.parametrize(
    "damaged", ["", "{", "[]", '{"format": 2, "files": {}}', '{"format": 1, "files": {"/a": [1]}}']
)
def test_a_cache_that_cannot_be_read_is_as_good_as_empty(
    file, digest, tmp_path, damaged, later, read
):
    digest(file)
    (tmp_path / "digests.json").write_text(damaged)
    assert digest(file) == sha("abc")
    assert read() == ["a.csv"] * 2
    assert list(json.loads((tmp_path / "digests.json").read_text())["files"]) == [str(file)]


def test_removed_files_are_forgotten(file, digest, tmp_path, later):
    digest(file)
    other = tmp_path / "b.csv"
    other.write_text("b")
    file.unlink()
    digest(other)
    assert list(json.loads((tmp_path / "digests.json").read_text())["files"]) == [str(other)]


def test_nothing_new_is_not_written(file, digest, tmp_path, later):
    digest(file)
    written = (tmp_path / "digests.json").stat()
    digest(file)
    assert (tmp_path / "digests.json").stat() == written


def digest_and_fail(file, folder):
    with digest_cache.opened(folder / "digests.json") as cache:
        cache.digests([str(file)])
        cache.digests([str(folder / "gone")])


def test_what_was_read_is_kept_though_the_run_fails(file, tmp_path):
    with pytest.raises(FileNotFoundError):
        digest_and_fail(file, tmp_path)
    assert DigestCache(tmp_path / "digests.json").before(str(tmp_path)) == {"a.csv": sha("abc")}


def test_a_cache_that_cannot_be_written_fails_nothing(file, tmp_path, caplog):
    (tmp_path / "digests.json").mkdir()
    with digest_cache.opened(tmp_path / "digests.json") as cache:
        assert cache.digests([str(file)]) == {str(file): sha("abc")}
    assert "was not written" in caplog.text
