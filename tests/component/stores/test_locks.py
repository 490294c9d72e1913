"""One run at a time in a pipeline's folder in a store, on any machine."""

import os
import threading
import time

import pytest

from components import files, stores
from pipeline import locks
from pipeline.folders import Folders
from pipeline.locks import FILE_NAME, locked
from schemas.errors import SkewlessError, StoreError
from tests.emulators import in_amazon, in_google
from tests.engines.processes import wait_for

pytestmark = pytest.mark.component


@pytest.fixture
def at(store, tmp_path, monkeypatch):
    """Return the folders of one pipeline as a machine sees them."""

    def at(machine):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / machine))
        return Folders.of(store, "taxi")

    return at


def seen(path):
    found = stores.version(path)
    assert found is not None
    return found


def test_an_object_is_written_by_whoever_saw_it_last(store):
    assert stores.version(f"{store}/a") is None
    one = stores.written_if(f"{store}/a", b"1", None)
    assert one is not None
    assert stores.written_if(f"{store}/a", b"2", None) is None
    two = stores.written_if(f"{store}/a", b"2", one)
    assert stores.written_if(f"{store}/a", b"3", one) is None
    found = seen(f"{store}/a")
    assert (found.data, found.tag) == (b"2", two)
    assert abs(found.changed - time.time()) < 300
    assert stores.written_if(f"{store}/a", b"2", one) == two  # repeated: the first one succeeded


def test_of_two_machines_one_runs(at):
    lock = f"{at('one').store}/{FILE_NAME}"
    with locked(at("one"), "first") as is_ours:
        with pytest.raises(SkewlessError, match=f"process {os.getpid()} on .*, run first") as error:
            locked(at("two"), "second").__enter__()
        is_ours()
    assert error.value.where == lock
    assert "when this object is removed" in str(error.value.remedy)
    assert not files.exists(lock)
    with locked(at("two"), "third"):
        assert b"third" in files.read_bytes(lock)


@in_google
def test_of_many_at_the_same_moment_one_runs(at):
    machines = [at(str(n)) for n in range(4)]
    refused, over = [], threading.Barrier(len(machines))

    def run(folders):
        try:
            with locked(folders, "run"):
                over.wait(60)
        except SkewlessError as error:
            refused.append(error)
            over.wait(60)

    threads = [threading.Thread(target=run, args=[folders]) for folders in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(refused) == len(machines) - 1


@in_google
def test_a_run_that_was_killed_gives_way_on_its_own_machine_at_once(at):
    lock = f"{at('one').store}/{FILE_NAME}"
    with locked(at("one"), "killed"):
        left = files.read_bytes(lock)
    files.write_whole(lock, left)
    with pytest.raises(SkewlessError, match="run killed"):
        locked(at("two"), "other").__enter__()
    with locked(at("one"), "next"):
        assert b"next" in files.read_bytes(lock)
    assert not files.exists(lock)


@in_amazon
def test_a_run_that_was_not_heard_of_gives_way_and_knows_it(at, monkeypatch):
    lock = f"{at('one').store}/{FILE_NAME}"
    with locked(at("one"), "asleep") as is_ours:
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 601)
        with locked(at("two"), "awake"):
            assert b"awake" in files.read_bytes(lock)
            with pytest.raises(SkewlessError, match="has taken this pipeline over"):
                is_ours()


@in_amazon
def test_a_run_says_that_it_is_alive(at, monkeypatch):
    lock = f"{at('one').store}/{FILE_NAME}"
    monkeypatch.setattr(locks, "_RENEWED_EVERY", 0.01)
    with locked(at("one"), "first"):
        before = seen(lock)
        wait_for("renewal", lambda: seen(lock).tag != before.tag, (), 60)
        assert b"first" in seen(lock).data
    assert not files.exists(lock)


def test_a_renewal_that_succeeded_with_an_error_keeps_the_lock(at, monkeypatch):
    lock = f"{at('one').store}/{FILE_NAME}"
    written_if = stores.written_if
    failed: list[str] = []

    def fails_once(path, data, tag):
        written = written_if(path, data, tag)
        if tag is not None and not failed:
            failed.append(tag)
            raise StoreError("the store does not answer")
        return written

    monkeypatch.setattr(stores, "written_if", fails_once)
    monkeypatch.setattr(locks, "_RENEWED_EVERY", 0.01)
    with locked(at("one"), "first") as is_ours:
        wait_for("a renewal that fails", lambda: bool(failed), (), 60)
        before = seen(lock).tag
        wait_for("another one", lambda: seen(lock).tag != before, (), 60)
        is_ours()
