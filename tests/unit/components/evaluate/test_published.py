"""The serving folder: which entries are versions, and when two SavedModels are the same."""

import shutil

import pytest

from components.evaluate.published import content_digest, newest, versions


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
