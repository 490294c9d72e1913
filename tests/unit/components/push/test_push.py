"""Pushing: versions, idempotence, turns, and what happens when it cannot."""

import errno
import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from components.evaluate.published import content_digest
from components.push.push import Pushed, push
from schemas.errors import ModelError, SkewlessError


def below(files, version):
    return {f"{version}/{name}": content for name, content in files.items()}


def test_the_first_version_is_1_and_whole(model, read, tmp_path):
    serving = tmp_path / "deep" / "serving"
    pushed = push(model(), str(serving))
    assert pushed == Pushed(version=1, path=str(serving / "1"), new=True)
    assert read(serving) == below(read(model()), 1)
    assert sorted(os.listdir(serving)) == [".push.lock", "1"]


def test_the_next_version_follows_the_highest(model, read, tmp_path):
    serving = tmp_path / "serving"
    for name in ("2", "10", "latest", ".hidden", "99.tmp"):
        (serving / name).mkdir(parents=True)
    (serving / "config").write_text("models")
    assert push(model(), str(serving)).version == 11
    assert read(serving) == {"config": b"models"} | below(read(model()), 11)


def test_a_file_with_a_number_is_in_the_way_too(model, tmp_path):
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving" / "4").write_text("")
    assert push(model(), str(tmp_path / "serving")).version == 5


def test_the_newest_model_is_not_pushed_again(model, read, tmp_path):
    serving = str(tmp_path / "serving")
    first = push(model(), serving)
    before = read(serving)
    assert push(model(), serving) == Pushed(first.version, first.path, new=False)
    assert read(serving) == before


def test_an_older_model_comes_back_as_a_new_version(model, tmp_path):
    serving = str(tmp_path / "serving")
    old, new = model(b"old", "a"), model(b"new", "b")
    assert [push(m, serving).version for m in (old, new, old)] == [1, 2, 3]


def test_a_server_of_another_user_can_read_it(model, tmp_path):
    path = push(model(), str(tmp_path / "serving")).path
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o777 & ~umask
    assert stat.S_IMODE(os.stat(os.path.join(path, "saved_model.pb")).st_mode) == 0o666 & ~umask


def test_pushes_at_once_take_turns(model, read, tmp_path):
    serving = str(tmp_path / "serving")
    models = [model(b"graph %d" % i, f"model{i}") for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        pushed = list(pool.map(lambda m: push(m, serving), models))
    assert sorted(p.version for p in pushed) == list(range(1, 9))
    for source, result in zip(models, pushed, strict=True):
        assert read(result.path) == read(source)


def test_pushes_of_one_model_at_once_make_one_version(model, tmp_path):
    serving = str(tmp_path / "serving")
    with ThreadPoolExecutor(8) as pool:
        pushed = list(pool.map(lambda m: push(m, serving), [model()] * 8))
    assert {p.version for p in pushed} == {1}
    assert sum(p.new for p in pushed) == 1


def test_no_saved_model(tmp_path):
    (tmp_path / "model").mkdir()
    with pytest.raises(ModelError, match="no SavedModel to push"):
        push(str(tmp_path / "model"), str(tmp_path / "serving"))
    assert not (tmp_path / "serving").exists()


def test_a_serving_folder_that_is_a_file(model, tmp_path):
    (tmp_path / "serving").write_text("")
    with pytest.raises(SkewlessError, match="the model cannot be pushed: File exists") as caught:
        push(model(), str(tmp_path / "serving"))
    assert caught.value.where == str(tmp_path / "serving")


def failing(real, at, error):
    """Return `real`, which raises `error` when called for the time numbered `at`."""
    calls = 0

    def call(*arguments):
        nonlocal calls
        calls += 1
        if calls > at:
            raise error
        return real(*arguments)

    return call


@pytest.mark.parametrize(
    ("module", "name", "calls"),
    # five files, four folders, and one rename; the serving folder itself is synced after that
    [(os, "mkdir", 4), (shutil, "copyfileobj", 5), (os, "fsync", 9), (os, "rename", 1)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_full_disk_leaves_nothing_behind(model, read, tmp_path, monkeypatch, module, name, calls):
    serving = str(tmp_path / "serving")
    push(model(b"old", "old"), serving)
    before, source = read(serving), model()
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.path.join(serving, "a file"))
    for at in range(calls):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, failing(getattr(module, name), at, full))
            with pytest.raises(SkewlessError, match="No space left on device") as caught:
                push(source, serving)
        assert "room for 0.0 MB" in str(caught.value)
        assert "as they were" in str(caught.value)
        assert read(serving) == before
        assert sorted(os.listdir(serving)) == [".push.lock", "1"]
    assert push(source, serving).version == 2


def test_a_model_that_changes_meanwhile_is_not_published(model, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "copyfileobj", lambda _, writer, __: writer.write(b"other"))
    with pytest.raises(ModelError, match="changed while it was used"):
        push(model(), str(tmp_path / "serving"))
    assert os.listdir(tmp_path / "serving") == [".push.lock"]


def test_what_describes_a_model_lies_beside_it_and_makes_no_new_version(model, read, tmp_path):
    asked: list[int] = []

    def beside():
        asked.append(len(asked))
        return {"model.json": f"{len(asked)}", "MODEL_CARD.md": "héllo"}

    serving = tmp_path / "serving"
    first = push(model(), str(serving), beside)
    again = push(model(), str(serving), beside)

    assert (first.version, again.version, again.new) == (1, 1, False)
    assert asked == [0]  # composed only for a new version
    files = read(serving)
    assert files["1/model.json"] == b"1"
    assert files["1/MODEL_CARD.md"] == "héllo".encode()
    assert push(model(b"other", "a"), str(serving), beside).version == 2


def test_a_description_that_fails_leaves_no_version(model, read, tmp_path):
    def beside():
        raise ModelError("no metrics")

    with pytest.raises(ModelError, match="no metrics"):
        push(model(), str(tmp_path / "serving"), beside)
    assert not read(tmp_path / "serving")


def test_only_the_model_that_was_judged_is_pushed(model, read, tmp_path):
    serving = str(tmp_path / "serving")
    judged, other = model(b"judged", "a"), model(b"other", "b")
    digest = content_digest(judged)
    verdicts = {"blessing": digest, "proof": digest}
    assert push(judged, serving, verdicts=verdicts).new
    before = read(serving)
    for wrong in (
        {"blessing": digest, "proof": content_digest(other)},
        {"blessing": content_digest(other), "proof": digest},
    ):
        with pytest.raises(ModelError, match="is not the one that was judged") as caught:
            push(judged, serving, verdicts=wrong)
        assert digest in caught.value.what
        assert content_digest(other) in caught.value.what
        assert caught.value.where == judged
    with pytest.raises(ModelError, match=r"the blessing is about .* and the proof is about"):
        push(other, serving, verdicts=verdicts)
    with pytest.raises(ModelError, match="the proof is about no known one"):
        push(judged, serving, verdicts={"blessing": digest, "proof": ""})
    assert read(serving) == before


def test_a_model_that_is_replaced_after_it_was_digested_is_not_pushed(
    model, read, tmp_path, monkeypatch
):
    """The copy counts, not what was in its place when it was checked."""
    serving, judged = str(tmp_path / "serving"), model(b"judged")
    copy = shutil.copyfileobj

    def replacing(reader, writer, length):
        model(b"other!")
        copy(reader, writer, length)

    monkeypatch.setattr(shutil, "copyfileobj", replacing)
    digest = content_digest(judged)
    with pytest.raises(ModelError, match="changed while it was used"):
        push(judged, serving, verdicts={"blessing": digest, "proof": digest})
    assert read(serving) == {}


def test_a_version_that_was_damaged_is_followed_by_a_whole_one(model, read, tmp_path):
    serving, judged = tmp_path / "serving", model()
    verdicts = {"blessing": content_digest(judged)}
    push(judged, str(serving), verdicts=verdicts)
    (serving / "1" / "saved_model.pb").write_bytes(b"")
    assert push(judged, str(serving), verdicts=verdicts).version == 2
    assert read(str(serving / "2")) == read(judged)
