"""Seals on folders of this machine: when they are intact, and what is reported otherwise."""

import shutil

import pytest

from pipeline import digest_cache
from pipeline.digest_cache import DigestCache
from pipeline.seals import Seals


@pytest.fixture
def artifact(tmp_path):
    folder = tmp_path / "artifacts" / "export" / "exported" / "7"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_text("graph")
    (folder / "variables" / "index").write_text("index")
    return folder


@pytest.fixture
def seals(tmp_path):
    """Seals as in a separate run."""

    def of_a_run():
        return Seals(str(tmp_path / "artifacts"), DigestCache(tmp_path / "digests.json"))

    return of_a_run


@pytest.fixture
def seal(tmp_path, artifact):
    with digest_cache.opened(tmp_path / "digests.json") as known:
        return Seals(str(tmp_path / "artifacts"), known).seal(str(artifact))


def test_a_seal_holds_wherever_the_digests_are_from(artifact, seals, seal, tmp_path):
    assert seals().why_broken(str(artifact), seal) is None
    (tmp_path / "digests.json").unlink()
    assert seals().why_broken(str(artifact), seal) is None


def truncate(artifact):
    (artifact / "saved_model.pb").write_bytes(b"")


def replace(artifact):
    (artifact / "saved_model.pb").write_bytes(b"GRAPH")


def remove_one(artifact):
    (artifact / "saved_model.pb").unlink()


def add(artifact):
    (artifact / "more").write_text("")


def all_new(artifact):
    for name in ("saved_model.pb", "variables/index", "a", "b", "c"):
        (artifact / name).write_text("another run's")


@pytest.mark.parametrize(
    ("damage", "changed"),
    [
        (truncate, "saved_model.pb"),
        (replace, "saved_model.pb"),
        (remove_one, "saved_model.pb"),
        (add, "more"),
        (all_new, "a, b, c and 2 more files"),
    ],
)
def test_what_changed_is_named(artifact, seals, seal, damage, changed):
    damage(artifact)
    why = seals().why_broken(str(artifact), seal)
    assert why == f"{changed} changed since it was made, in {artifact}"


def test_a_change_is_noticed_without_digests_of_the_files(artifact, seals, seal, tmp_path):
    (tmp_path / "digests.json").unlink()
    truncate(artifact)
    why = seals().why_broken(str(artifact), seal)
    assert why == f"its content changed since it was made, in {artifact}"


def test_missing_unreadable_and_unsealed_artifacts(artifact, seals, seal):
    assert "there is no record of what" in seals().why_broken(str(artifact), "")
    (artifact / "saved_model.pb").unlink()
    (artifact / "saved_model.pb").symlink_to("nowhere")
    assert "cannot be read: [Errno 2]" in seals().why_broken(str(artifact), seal)
    shutil.rmtree(artifact)
    assert seals().why_broken(str(artifact), seal) == f"{artifact} does not exist any more"
