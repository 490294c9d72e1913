"""The file layer with (emulated) stores, and its errors if a store is not available."""

import gc
import io
import os
import random
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from components import files, store_clients, store_patience, stores
from components.sources import spans
from components.sources.protocol import Selection, open_reader
from components.sources.source_files import source_files
from pipeline import digests
from pipeline.digest_cache import DigestCache
from pipeline.folders import Folders
from pipeline.seals import Seals
from schemas.columns import Column
from schemas.errors import StoreError
from schemas.sources.csv import Csv
from tests import emulators
from tests.engines.processes import free_ports
from tests.source_rows import read_all

pytestmark = pytest.mark.component


def test_what_is_written_is_read_listed_moved_and_removed(store):
    big = random.Random(0).randbytes(20 << 20)  # more than one part of an upload, or one buffer
    written = {"a/b.txt": b"text", "a/empty": b"", "a/c[1].bin": big, "ab": b"beside"}
    for name, data in written.items():
        files.write_whole(f"{store}/{name}", data)
    assert files.names(store) == ["a", "ab"]
    assert files.walk(f"{store}/a") == ["b.txt", "c[1].bin", "empty"]
    assert {n: files.read_bytes(f"{store}/{n}") for n in written} == written
    assert [e.path for e in files.find(f"{store}/a/*.txt")] == [f"{store}/a/b.txt"]
    (found,) = files.find(f"{store}/a/c[1].bin")
    assert (found.path, found.size) == (f"{store}/a/c[1].bin", 20 << 20)
    assert files.is_file(f"{store}/ab")
    assert not files.is_file(f"{store}/a")
    assert files.exists(f"{store}/a")
    assert not files.exists(f"{store}/b")
    files.move(f"{store}/a", f"{store}/moved/a")
    assert files.walk(store) == ["ab", "moved/a/b.txt", "moved/a/c[1].bin", "moved/a/empty"]
    files.remove(f"{store}/moved/a/c[1].bin")
    files.remove(f"{store}/a")  # not there
    assert files.walk(store) == ["ab", "moved/a/b.txt", "moved/a/empty"]
    files.remove(f"{store}/moved")
    assert files.walk(store) == ["ab"]


def test_a_folder_of_a_store_is_a_source(store):
    rows = pa.compress(b"n\n1\n2\n", "zstd", asbytes=True)
    for name in ("k=a/x.csv.zst", "k=b/x.csv.zst", "_SUCCESS", "plain/x.csv", "plain/y/z.csv"):
        files.write_whole(f"{store}/t/{name}", rows if name.endswith("zst") else b"n\n3\n")
    plain, parted = Csv(path="t"), Csv(path="t", partitions="hive")
    assert source_files(f"{store}/t/plain", named="t", source=plain) == [f"{store}/t/plain/x.csv"]
    paths = source_files(f"{store}/t/k=*/*.zst", named="t", source=parted)
    columns = (Column("n", "INT", serving=True), Column("k", "BYTES", serving=True))
    reader = open_reader(parted, Selection(columns))
    rows_read = [values for path in paths for _, values in read_all(reader, path)[0]]
    assert rows_read == [(1, "a"), (2, "a"), (1, "b"), (2, "b")]


def test_spans_are_found_and_linked_files_are_copies(store):
    for name in ("1/v1/a.csv", "1/v2/a.csv", "1/v2/b.csv", "2/v1/a.csv", "x/v1/a.csv"):
        files.write_whole(f"{store}/{name}", name)
    found = spans.existing(f"{store}/{{SPAN}}/v{{VERSION}}/*.csv")
    assert [span.label for span in found.values()] == ["1 version 2", "2 version 1"]
    assert found[1].path == f"{store}/1/v2/*.csv"
    assert spans.existing(f"{store}/{{SPAN}}/v{{VERSION}}") != {}  # a folder for each span
    files.link_files([(f"{store}/1/v2/{name}.csv", f"{store}/joined/{name}") for name in "ab"])
    files.remove(f"{store}/1")
    assert files.walk(f"{store}/joined") == ["a", "b"]
    assert files.read_bytes(f"{store}/joined/b") == b"1/v2/b.csv"


def test_a_file_is_read_from_where_one_seeks(store):
    data = random.Random(1).randbytes(3 << 20)
    files.write_whole(f"{store}/a", data)
    with files.open_read(f"{store}/a") as file:
        assert file.seek(-10, os.SEEK_END) == len(data) - 10
        assert file.read() == data[-10:]
        file.seek(1 << 20)
        assert file.read(2 << 20) == data[1 << 20 :]
        assert file.read(1) == b""
    with pytest.raises(FileNotFoundError):
        files.read_bytes(f"{store}/none")


def test_folders_come_at_hand_and_arrive(store, tmp_path):
    with files.arriving(f"{store}/a") as folder:
        files.write_whole(os.path.join(folder, "deep/b"), "text")
        assert files.walk(store) == []
    assert files.walk(store) == ["a/deep/b"]
    with files.at_hand(f"{store}/a") as folder:
        assert files.read_text(os.path.join(folder, "deep/b")) == "text"
    assert not os.path.exists(folder)
    with pytest.raises(ZeroDivisionError), files.arriving(f"{store}/c") as folder:
        files.write_whole(os.path.join(folder, "b"), str(1 / 0))
    assert files.walk(store) == ["a/deep/b"]


def test_a_file_that_fails_leaves_nothing(store):
    with pytest.raises(ZeroDivisionError), files.whole(f"{store}/a") as partial:
        files.write_whole(partial, str(1 / 0))
    assert files.walk(store) == []


class Torn(io.BytesIO):
    """A file whose reading is interrupted by Ctrl-C."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 10 << 20:
            raise KeyboardInterrupt
        return super().read(size)


def test_an_interrupted_upload_leaves_no_object(store):
    with pytest.raises(KeyboardInterrupt):
        stores.sent(Torn(bytes(40 << 20)), f"{store}/a")
    gc.collect()  # closes the writer
    assert files.walk(store) == []


def test_check_leaves_no_trace(store):
    stores.check_writable(store)
    assert files.walk(store) == []


def test_a_bucket_that_is_not_there(store):
    absent = store.replace(emulators.BUCKET, "nobucket")
    for ask in (stores.check, stores.check_writable):
        with pytest.raises(StoreError, match="there is no bucket 'nobucket'") as error:
            ask(absent)
        assert error.value.where == absent


def test_a_store_that_does_not_answer(store, monkeypatch):
    nobody = f"localhost:{free_ports(1)[0]}"
    emulators.point_to(monkeypatch, nobody, nobody)
    with pytest.raises(StoreError, match=r"the store does not answer: .*connect") as error:
        stores.check(store)
    assert "can be reached" in (error.value.remedy or "")


def test_what_is_asked_of_a_store_that_stays_away_is_given_up(store, monkeypatch):
    nobody = f"localhost:{free_ports(1)[0]}"
    emulators.point_to(monkeypatch, nobody, nobody)
    monkeypatch.setenv(store_patience.VARIABLE, "0")
    for ask in (
        lambda: files.names(store),
        lambda: files.read_bytes(f"{store}/a"),
        lambda: files.write_whole(f"{store}/a", b"text"),
    ):
        with pytest.raises(StoreError, match="the store does not answer") as error:
            ask()
        assert store in (error.value.where or "")


def test_a_store_that_comes_back_is_waited_for(stores_running):
    path = f"gs://{emulators.BUCKET}/there"
    files.write_whole(path, b"still")
    stores_running.google.stop()
    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(files.read_bytes, path)
        stores_running.google.start()
        assert reading.result() == b"still"


def test_credentials_that_are_missing(stores_running, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(StoreError, match=r"refuses: .*credentials") as error:
        stores.check(f"s3://{emulators.BUCKET}/a")
    assert "AWS_ACCESS_KEY_ID" in (error.value.remedy or "")


def test_boto3_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    store_clients._amazon.cache_clear()  # of another test
    with pytest.raises(StoreError, match="boto3") as error:
        files.read_bytes("s3://bucket/a")
    assert "skewless[s3]" in (error.value.remedy or "")


def test_the_record_of_runs_goes_from_machine_to_machine(store, tmp_path, monkeypatch):
    def at(machine: str) -> Folders:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / machine))
        return Folders.of(store, "taxi")

    def run(machine: str, record: bytes) -> None:
        folders = at(machine)
        folders.fetch()
        (folders.runs / machine).mkdir(parents=True, exist_ok=True)
        (folders.runs / machine / "run.log").write_text(machine)
        folders.metadata.write_bytes(record)
        folders.send(machine)

    run("one", b"1")
    at("two").fetch()
    assert at("two").metadata.read_bytes() == b"1"
    run("two", b"2")
    assert files.walk(f"{store}/taxi/runs") == ["one/run.log", "two/run.log"]
    at("one").fetch()  # another machine ran last
    assert at("one").metadata.read_bytes() == b"2"
    at("one").metadata.write_bytes(b"3")  # of a run that was killed before it could send
    at("one").fetch()
    assert at("one").metadata.read_bytes() == b"3"


def test_a_tag_identifies_the_content_of_an_object(store):
    for name in ("a/1.csv", "a/2.csv", "a/10.csv", "b"):
        files.write_whole(f"{store}/{name}", "text")
    before = stores.tags(f"{store}/a/1")
    assert list(before) == [f"{store}/a/1.csv", f"{store}/a/10.csv"]
    assert stores.tags(f"{store}/a/none") == {}
    files.write_whole(f"{store}/a/1.csv", "TEXT")  # the same length
    after = stores.tags(f"{store}/a/1")
    assert after[f"{store}/a/1.csv"] != before[f"{store}/a/1.csv"]
    assert after[f"{store}/a/10.csv"] == before[f"{store}/a/10.csv"]


def test_sources_and_artifacts_of_a_store_are_known_by_what_they_hold(store, tmp_path):
    known = DigestCache(tmp_path / "digests.json")
    names = [f"{store}/data/{name}.csv" for name in "ab"]
    for name in names:
        files.write_whole(name, f"n\n{name}\n")
    first, seals = digests.source(names, known), Seals(store, known)
    seal = seals.seal(f"{store}/data")
    assert digests.source(names, known) == first
    assert seals.why_broken(f"{store}/data", seal) is None
    files.write_whole(names[0], f"n\n{names[0].upper()}\n")
    assert digests.source(names, known) != first
    why = seals.why_broken(f"{store}/data", seal)
    assert why == f"its content changed since it was made, in {store}/data"
    files.remove(f"{store}/data")
    assert seals.why_broken(f"{store}/data", seal) == f"{store}/data does not exist any more"
    with pytest.raises(FileNotFoundError):
        digests.source(names, known)
