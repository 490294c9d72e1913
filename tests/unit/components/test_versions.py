"""Differences between the versions of a command and its workers are named."""

from components import versions


def test_an_environment_is_like_itself():
    assert versions.refusal(versions.installed(), versions.installed()) == ""


def test_what_differs_or_is_missing_is_named():
    sent = {"python": "3.13", "pyarrow": "18.1.0", "tfx": "1.21.0"}
    said = versions.refusal(sent, {"python": "3.13", "pyarrow": "10.0.1"})
    assert said.startswith(versions.REFUSED)
    assert said.endswith(": pyarrow is 10.0.1, not 18.1.0; tfx is missing, not 1.21.0")


def test_a_changed_line_or_file_of_ours_is_another_version(tmp_path):
    def seen(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
        return versions.digest(tmp_path)

    first = seen("components/train/train.py", "x = 1")
    assert seen("tests/test_train.py", "x = 1") == first
    changed = seen("components/train/train.py", "x = 2")
    assert len({first, changed, seen("schemas/spec.py", "x = 2")}) == 3
