"""A server writes its logs to separate files."""

import os

import pytest

from pipeline.serve_logs import check_apart
from schemas.errors import ConfigError


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run" / "serving" / "1").mkdir(parents=True)
    os.symlink("run/serving", tmp_path / "link")
    return tmp_path


@pytest.mark.parametrize("path", ["run/serving/1/log", "run/serving/2", "run/serving", "link/log"])
@pytest.mark.parametrize("option", ["--access-log", "--request-log"])
def test_logs_are_not_written_into_models(place, option, path):
    access_log, request_log = (path, None) if option == "--access-log" else (None, path)
    with pytest.raises(ConfigError, match=f"{option} is inside a folder of models"):
        check_apart(access_log, request_log, ["elsewhere", "run/serving"])


@pytest.mark.parametrize(
    "content", ["id,fare\n1,2\n", "model_config_list {}", '{"other": 1}\n', " "]
)
def test_lines_are_appended_to_no_other_file(place, content):
    (place / "rows.csv").write_text(content)
    with pytest.raises(ConfigError, match="the file of --access-log has other content"):
        check_apart("rows.csv", None, ["run/serving"])
    assert (place / "rows.csv").read_text() == content


def test_an_access_log_goes_on(place):
    (place / "old").write_text('{"time":"2026-11-21T12:00:00.000Z","peer":""}\n')
    (place / "empty").touch()
    for path in ("old", "empty", "new", "-", "/dev/null", None):
        check_apart(path, "requests", ["run/serving"])
