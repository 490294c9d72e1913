"""The meaning of a path and a version, and the errors if there is none."""

import pytest

from components.serve.folders import Base, check_name, default_name, find, stamp
from schemas.errors import ConfigError


@pytest.fixture
def run(tmp_path):
    """A run with versions 2 and 10, one half-pushed and a lock."""
    for name in ("2", "10", ".push.incoming"):
        (tmp_path / "taxi" / "serving" / name).mkdir(parents=True)
        (tmp_path / "taxi" / "serving" / name / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "taxi" / "serving" / "11").mkdir()
    return tmp_path / "taxi"


def test_a_run_a_serving_folder_and_a_saved_model_are_found(run):
    serving = run / "serving"
    both = {2: str(serving / "2"), 10: str(serving / "10")}
    for path in (run, serving):
        assert find(str(path)) == Base(str(serving))
        assert find(str(path)).versions() == both
        assert default_name(str(path)) == "taxi"
    assert find(f"{serving}/10/").versions() == {10: both[10]}
    assert default_name(f"{serving}/10/") == "taxi"


def test_a_version_is_there_once_its_graph_is(run):
    base = find(str(run))
    (run / "serving" / "11" / "saved_model.pb").write_bytes(b"graph")
    assert max(base.versions()) == 11


def test_a_lone_saved_model_is_version_1(run):
    model = run.parent / "Format-Serving"
    (run / "serving" / "2").rename(model)
    assert find(str(model)).versions() == {1: str(model)}
    assert default_name(str(model)) == "Format-Serving"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nothing", "there is no folder"),
        ("empty", "there is no version to serve"),
        ("taxi/serving/11", "there is no version to serve"),
    ],
)
def test_what_cannot_be_served_is_reported(path, message, run):
    (run.parent / "empty").mkdir()
    with pytest.raises(ConfigError, match=message):
        find(str(run.parent / path))


def test_a_folder_of_runs_names_them(run):
    with pytest.raises(ConfigError) as caught:
        find(str(run.parent))
    assert caught.value.remedy == f"name a run in it: {run.name}"


@pytest.mark.parametrize("name", ["", "a/b", "a:b"])
def test_a_name_that_cannot_be_part_of_a_path_is_reported(name):
    with pytest.raises(ConfigError, match="a model cannot be named"):
        check_name(name)


def test_a_stamp_changes_with_every_file(run):
    folder = run / "serving" / "2"
    before = stamp(str(folder))
    assert stamp(str(folder)) == before
    (folder / "variables").mkdir()
    assert stamp(str(folder)) == before
    (folder / "variables" / "index").write_bytes(b"")
    after = stamp(str(folder))
    assert after != before
    (folder / "variables" / "index").write_bytes(b"x")
    assert stamp(str(folder)) != after
