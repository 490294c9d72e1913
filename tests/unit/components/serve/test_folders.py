"""What a path and a version stand for, and what is said where they stand for nothing."""

import pytest

from components.serve.folders import Served, find
from schemas.errors import ConfigError


@pytest.fixture
def run(tmp_path):
    """A run with versions 2 and 10, one half-pushed and a lock."""
    for name in ("2", "10", ".push.incoming"):
        (tmp_path / "taxi" / "serving" / name).mkdir(parents=True)
        (tmp_path / "taxi" / "serving" / name / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "taxi" / "serving" / "11").mkdir()
    return tmp_path / "taxi"


def test_a_run_a_serving_folder_and_a_saved_model_are_served(run):
    serving = run / "serving"
    newest = Served(str(serving / "10"), 10, "taxi")
    assert find(str(run)) == newest
    assert find(str(serving)) == newest
    assert find(f"{serving}/10/") == newest
    assert find(str(run), version=2) == Served(str(serving / "2"), 2, "taxi")
    assert find(str(run), name="tips").name == "tips"


def test_a_lone_saved_model_is_version_1(run):
    model = run.parent / "Format-Serving"
    (run / "serving" / "2").rename(model)
    assert find(str(model)) == Served(str(model), 1, "Format-Serving")


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("nothing", {}, "there is no folder"),
        ("empty", {}, "there is no version to serve"),
        ("taxi/serving/11", {}, "there is no version to serve"),
        ("taxi", {"version": 11}, "there is no version 11"),
        ("taxi/serving/2", {"version": 3}, "one of: 2"),
        ("taxi", {"name": "a/b"}, "cannot be named 'a/b'"),
        ("taxi", {"name": ""}, "cannot be named ''"),
    ],
)
def test_what_cannot_be_served_is_said(path, options, message, run):
    (run.parent / "empty").mkdir()
    with pytest.raises(ConfigError, match=message):
        find(str(run.parent / path), **options)
