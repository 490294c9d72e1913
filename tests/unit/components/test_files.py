import errno
import glob
import os
import re
from pathlib import Path

import pytest

from components import files


def write(path: Path, text: str = "x") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "a" / "b.txt"
    with files.whole(str(path)) as partial:
        Path(partial).write_text("half")
        assert not path.exists()
        assert os.path.dirname(partial) == str(path.parent)  # the same disk, so that it is renamed
        assert os.path.basename(partial).startswith(".")  # patterns do not match it
        Path(partial).write_text("whole")
    assert files.read_text(str(path)) == "whole"
    assert os.listdir(path.parent) == ["b.txt"]


def test_a_file_that_fails_leaves_what_was_there(tmp_path):
    path = write(tmp_path / "b.txt", "before")
    with pytest.raises(TypeError):
        files.write_whole(path, 5)  # type: ignore[arg-type]
    assert files.read_bytes(path) == b"before"
    assert os.listdir(tmp_path) == ["b.txt"]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = str(tmp_path / "b.txt")
    with files.whole(path) as one, files.whole(path) as other:
        assert one != other
        Path(one).write_text("1")
        Path(other).write_text("2")
    assert files.read_text(path) == "1"  # the one that finished last


def test_sweep_takes_what_dead_writers_left(tmp_path):
    unfinished = files.whole(str(tmp_path / "b.txt"))
    write(Path(unfinished.__enter__()))
    write(tmp_path / "a.txt")
    files.sweep(str(tmp_path))
    assert os.listdir(tmp_path) == ["a.txt"]


def found(pattern: Path | str) -> list[str]:
    return [entry.path for entry in files.find(str(pattern))]


def test_a_pattern_over_a_loop_of_links_finds_each_file_once(tmp_path):
    path = write(tmp_path / "a" / "b" / "x.csv")
    for name in ("one", "two", "a/three", "a/b/four"):  # glob does not terminate with these
        os.symlink(tmp_path, tmp_path / name)
    os.symlink(path, tmp_path / "z.csv")
    os.symlink(path, tmp_path / "y.csv")
    assert found(tmp_path / "**" / "*.csv") == [f"{tmp_path}/y.csv"]  # the shortest path to it
    os.remove(tmp_path / "y.csv")
    os.remove(tmp_path / "z.csv")
    assert found(tmp_path / "**" / "*.csv") == [path]
    assert found(tmp_path / "**") == [path]
    assert found(tmp_path / "**" / "b" / "**" / "x.csv") == [path]
    assert found(tmp_path / "*" / "x.csv") == []


def test_a_pattern_goes_into_a_linked_folder(tmp_path):
    write(tmp_path / "elsewhere" / "x.csv")
    (tmp_path / "data").mkdir()
    os.symlink(tmp_path / "elsewhere", tmp_path / "data" / "link")
    assert found(tmp_path / "data" / "**" / "*.csv") == [f"{tmp_path}/data/link/x.csv"]
    assert found(tmp_path / "data" / "*" / "*.csv") == [f"{tmp_path}/data/link/x.csv"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("**/*.csv", ["a.csv", "c/d.csv", "c/e/[f].csv"]),
        ("**/[[]f].csv", ["c/e/[f].csv"]),
        ("c/**/*.csv", ["c/d.csv", "c/e/[f].csv"]),
        ("c/**", ["c/d.csv", "c/e/[f].csv"]),
        ("**", ["a.csv", "c/d.csv", "c/e/[f].csv"]),
        ("**/**/e/*", ["c/e/[f].csv"]),
        ("no/**/*.csv", []),
        ("a.csv/**", []),
    ],
)
def test_any_depth_is_as_in_glob(tmp_path, monkeypatch, pattern, names):
    for name in ("a.csv", "c/d.csv", "c/e/[f].csv", ".hidden/x.csv", "c/.y.csv"):
        write(tmp_path / name)
    expected = {p for p in glob.glob(str(tmp_path / pattern), recursive=True) if os.path.isfile(p)}
    assert set(found(tmp_path / pattern)) == expected == {f"{tmp_path}/{name}" for name in names}
    monkeypatch.chdir(tmp_path)
    assert found(pattern) == names


def test_names_walk_and_find(tmp_path):
    for name in ("a.csv", "b.csv", "c/d.csv", "e[1].csv"):
        write(tmp_path / name)
    root = str(tmp_path)
    assert files.names(root) == ["a.csv", "b.csv", "c", "e[1].csv"]
    assert files.walk(root) == ["a.csv", "b.csv", "c/d.csv", "e[1].csv"]
    assert [e.path for e in files.find(f"{root}/?.csv")] == [f"{root}/a.csv", f"{root}/b.csv"]
    assert [e.path for e in files.find(f"{root}/e[1].csv")] == [f"{root}/e[1].csv"]
    assert [os.path.basename(e.path) for e in files.find(f"{root}/**/d.csv")] == ["d.csv"]
    assert files.find(f"{root}/*") == [e for e in files.entries(root) if "/c/" not in e.path]
    assert files.names(f"{root}/none") == files.walk(f"{root}/none") == []
    assert files.find(f"{root}/none") == []


def test_an_entry_has_size_and_time(tmp_path):
    path = write(tmp_path / "a", "123")
    os.utime(path, ns=(5, 1_700_000_000_123_456_789))
    assert files.find(path) == [files.Entry(path, 3, 1_700_000_000_123_456_789)]


def test_a_local_folder_is_at_hand_as_it_is(tmp_path):
    with files.at_hand(str(tmp_path)) as here, files.arriving(str(tmp_path)) as there:
        assert here == there == str(tmp_path)


def test_copy_tree_copies_what_it_is_to(tmp_path):
    for name in ("saved_model.pb", "variables/a", "z"):
        write(tmp_path / "from" / name, name)
    files.copy_tree(f"{tmp_path}/from", f"{tmp_path}/to", without=["saved_model.pb"])
    assert files.walk(f"{tmp_path}/to") == ["variables/a", "z"]
    assert files.read_text(f"{tmp_path}/to/variables/a") == "variables/a"


def test_copy_tree_reports_a_file_that_cannot_be_copied(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / "from" / name)
    write(tmp_path / "to" / "b" / "in_the_way")
    with pytest.raises(OSError, match="directory"):
        files.copy_tree(f"{tmp_path}/from", f"{tmp_path}/to")


def test_move_replaces_a_file_and_moves_a_folder(tmp_path):
    files.move(write(tmp_path / "a", "new"), write(tmp_path / "b", "old"))
    assert files.read_text(f"{tmp_path}/b") == "new"
    files.move(f"{tmp_path}", f"{tmp_path}-moved/deep")
    assert files.walk(f"{tmp_path}-moved") == ["deep/b"]


def test_remove_takes_files_folders_and_nothing(tmp_path):
    write(tmp_path / "folder/deep/a")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "folder")
    files.remove(str(link))
    assert files.walk(str(tmp_path / "folder")) == ["deep/a"]
    for name in ("folder/deep/a", "folder", "none"):
        files.remove(str(tmp_path / name))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("path", ["gs://b/a", "s3://b/a"])
def test_a_stores_path_is_distinguished_from_a_local_one(path):
    assert files.in_store(path)
    assert files.absolute(f"{path}/") == path
    assert not files.in_store(path.replace("://", ":/"))
    assert files.absolute("a") == os.path.join(os.getcwd(), "a")


def test_nothing_heavy_is_imported():
    here = Path(files.__file__ or "")
    source = here.read_text() + here.with_name("stores.py").read_text()
    heavy = re.findall(
        r"^(?:import|from) (apache_beam|boto3|google|pyarrow|tensorflow)", source, re.M
    )
    assert heavy == []


def test_what_is_made_durable_is_every_file_and_every_name_on_the_way(tmp_path, monkeypatch):
    synced = []
    sync = os.fsync

    def recording(handle):
        synced.append(os.path.relpath(os.readlink(f"/proc/self/fd/{handle}"), tmp_path))
        sync(handle)

    monkeypatch.setattr(os, "fsync", recording)
    write(tmp_path / "root" / "node" / "7" / "deep" / "a")
    write(tmp_path / "root" / "node" / "7" / "b")
    write(tmp_path / "root" / "node" / "6" / "other")
    files.make_durable(str(tmp_path / "root" / "node" / "7"), str(tmp_path / "root"))
    held = ["root/node/7/b", "root/node/7/deep/a"]
    assert sorted(synced[:2]) == held  # content first, then the names of it
    assert sorted(synced[2:]) == ["root", "root/node", "root/node/7", "root/node/7/deep"]


def test_a_linked_file_takes_no_room_of_its_own(tmp_path):
    path, other = write(tmp_path / "a.txt"), tmp_path / "b" / "a.txt"
    files.link_files([(path, str(other))])
    assert os.path.samefile(path, other)


def test_a_disk_without_links_gets_a_copy(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    path, other = write(tmp_path / "a.txt", "text"), tmp_path / "b" / "a.txt"
    files.link_files([(path, str(other))])
    assert other.read_text() == "text"
    assert not os.path.samefile(path, other)


def test_a_link_that_fails_otherwise_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.link_files([(str(tmp_path / "gone"), str(tmp_path / "b"))])
