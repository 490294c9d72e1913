"""The serving folder: which entries are versions, and when two SavedModels are the same."""

import shutil

import pytest

from components.evaluate.published import (
    check_pushed,
    content_digest,
    judging_one,
    newest,
    versions,
)
from schemas.errors import ModelError
from tests.described import described


def saved_model(folder, **changes):
    files = {
        "saved_model.pb": b"graph",
        "variables/variables.index": b"index",
        "assets/vocabulary": "é\n".encode(),
    }
    for name, content in (files | changes).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return str(folder)


def test_only_numbers_are_versions_and_they_order_as_numbers(tmp_path):
    for name in ("9", "10", "2", ".push.incoming", "latest", "1.5", "-3", "٣", "9" * 30):
        (tmp_path / name).mkdir()
    assert list(versions(str(tmp_path))) == [2, 9, 10]
    assert newest(str(tmp_path)) == str(tmp_path / "10")


@pytest.mark.parametrize("exists", [True, False])
def test_nothing_is_served_yet(tmp_path, exists):
    folder = tmp_path / "serving"
    if exists:
        folder.mkdir()
    assert versions(str(folder)) == {}
    assert newest(str(folder)) is None


def test_copies_are_the_same(tmp_path):
    original = saved_model(tmp_path / "a")
    shutil.copytree(original, tmp_path / "b")
    assert content_digest(original) == content_digest(str(tmp_path / "b"))


@pytest.mark.parametrize(
    "changes",
    [
        {"saved_model.pb": b"another graph"},
        {"variables/variables.index": b""},
        {"assets/vocabulary": b"e\n"},
        {"assets.extra/tf_serving_warmup_requests": b""},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_any_other_change_is_another_model(tmp_path, changes):
    assert content_digest(saved_model(tmp_path / "a")) != content_digest(
        saved_model(tmp_path / "b", **changes)
    )


def test_content_may_not_move_between_files(tmp_path):
    one = saved_model(tmp_path / "a", x=b"1", y=b"2")
    other = saved_model(tmp_path / "b", x=b"2", y=b"1")
    assert content_digest(one) != content_digest(other)


def pushed(folder, **changes):
    """A SavedModel that has the model.json of its files before these changes."""
    digest = content_digest(saved_model(folder))
    model = described(digests={"saved_model": digest}).model_dump_json()
    return saved_model(folder, **{"model.json": model.encode(), "MODEL_CARD.md": b""} | changes)


def test_a_version_as_it_was_pushed_passes(tmp_path):
    check_pushed(pushed(tmp_path / "1"))


@pytest.mark.parametrize(
    "model", [None, b"{}", b"[]", b'{"digests": [1]}', b'{"digests": {"a": 1}}']
)
def test_a_version_without_a_digest_is_not_checked(tmp_path, model):
    check_pushed(saved_model(tmp_path / "1", **{} if model is None else {"model.json": model}))


@pytest.mark.parametrize(
    "changes",
    [
        {"saved_model.pb": b""},
        {"variables/variables.index": b"INDEX"},
        {"assets/more": b""},
        {"model.json": b'{"digests": {'},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_version_that_is_not_as_it_was_pushed_is_refused(tmp_path, changes):
    path = pushed(tmp_path / "1", **changes)
    with pytest.raises(ModelError) as caught:
        check_pushed(path)
    assert caught.value.where == path
    if "model.json" not in changes:
        assert content_digest(path) in caught.value.what
        assert content_digest(saved_model(tmp_path / "2")) in caught.value.what


def test_a_model_that_changes_while_it_is_judged_has_no_verdict(tmp_path):
    path = saved_model(tmp_path / "a")
    with judging_one(path) as digest:
        assert digest == content_digest(path)
    with pytest.raises(ModelError, match=f"its SHA-256 was {digest} and is "), judging_one(path):
        saved_model(tmp_path / "a", **{"saved_model.pb": b"another"})
