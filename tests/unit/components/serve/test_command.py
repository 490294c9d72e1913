"""The subcommand reports errors in the command line before TensorFlow is imported."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.serve.hosts import LOCAL
from pipeline import serve
from schemas.errors import ConfigError

ROOT = Path(__file__).parents[4]
CODE = """
import sys
from pipeline.cli import main
code = main(sys.argv[1:])
print(code, "tensorflow" in sys.modules)
"""


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-c", CODE, "serve", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def options(monkeypatch):
    """Return the models and options of a command line, without serving."""

    def parse(*arguments, env=None):
        given = []

        async def serve_nothing(configs, options):
            given.append((configs, options))

        monkeypatch.setattr(serve, "_serve", serve_nothing)
        result = CliRunner(env=env).invoke(serve.command, arguments)
        if result.exception is not None:
            raise result.exception
        return (*given[0], result.stderr)

    return parse


def test_a_path_that_is_not_a_model_is_reported_at_once(tmp_path):
    done = run(str(tmp_path / "nothing"))
    assert done.stdout == "2 False\n"
    assert "error: there is no folder" in done.stderr
    assert "skewless run taxi" in done.stderr


def test_an_option_out_of_range_is_reported_at_once(tmp_path):
    done = run(str(tmp_path), "--port", "70000")
    assert done.stdout == "2 False\n"
    assert "70000" in done.stderr


def test_a_configuration_that_is_wrong_is_reported_at_once(tmp_path):
    file = tmp_path / "models.config"
    file.write_text("model_config_list { }")
    done = run("--config", str(file))
    assert done.stdout == "2 False\n"
    assert "no model is configured" in done.stderr


@pytest.mark.parametrize("option", ["--access-log", "--request-log"])
def test_a_log_that_cannot_be_written_is_reported_at_once(option, serving, tmp_path):
    (tmp_path / "file").write_text("")
    path = str(tmp_path / "file" / "log")
    done = run(str(serving), option, path)
    assert done.stdout == "2 False\n"
    assert f"{option} cannot be written: Not a directory" in done.stderr
    assert path in done.stderr


def test_options_become_plain_settings(options, serving):
    configs, given, _ = options(
        str(serving), "--name", "tips", "--versions", "all", "--label", "stable=3", "--no-grpc",
        "--max-rows", "7", "--poll-seconds", "0",
    )  # fmt: skip
    (config,) = configs
    assert (config.name, config.policy.latest, config.labels) == ("tips", None, {"stable": 3})
    assert (given.grpc, given.settings.max_rows, given.poll_seconds) == (None, 7, 0)
    configs, given, _ = options(str(serving), "--version", "3")
    assert configs[0].policy.specific == {3}
    assert (given.http.port, given.grpc.port, given.http.host) == (8501, 8500, "127.0.0.1")
    assert given.poll_seconds == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "there is nothing to serve"),
        (["BASE", "--version", "4"], "there is no version 4"),
        (["BASE", "--version", "3", "--versions", "all"], "exclude each other"),
        (["BASE", "--versions", "some"], "no version policy 'some'"),
        (["BASE", "--label", "stable=4"], "'stable' points to version 4"),
        (["BASE", "--name", "a/b"], "cannot be named 'a/b'"),
        (["BASE", "--config", "FILE"], "--config replaces the other options for models"),
        (["BASE", "--tls-key", "FILE"], "need each other"),
        (["BASE", "--token-file", "FILE"], "too easy to guess"),
        (["BASE", "--host", "0.0.0.0"], "anyone who reaches 0.0.0.0 could send requests"),
        (["BASE", "--allowed-host", "http://a"], "'http://a' is not the name of a host"),
        (["BASE", "--max-bytes-in-flight", "9"], "has no room for a request"),
    ],
)
def test_conflicting_options_are_reported(arguments, message, options, serving, tmp_path):
    file = tmp_path / "file"
    file.write_text("short")
    known = {"BASE": str(serving), "FILE": str(file)}
    with pytest.raises(ConfigError, match=message):
        options(*[known.get(each, each) for each in arguments])


def test_bytes_in_flight_follow_the_longest_request(options, serving):
    path = str(serving)
    assert options(path)[1].settings.max_bytes_in_flight == 8 * (16 << 20)
    assert options(path, "--max-bytes", "100")[1].settings.max_bytes_in_flight == 800
    given = options(path, "--max-bytes", "100", "--max-bytes-in-flight", "150")[1]
    assert given.settings.max_bytes_in_flight == 150


def test_without_a_token_this_machine_answers_to_its_own_names(options, serving):
    path, token = str(serving), {"SKEWLESS_TOKEN": "0123456789abcdef"}
    assert options(path)[1].http.allowed_hosts == LOCAL
    assert options(path, "--host", "localhost")[1].http.allowed_hosts == LOCAL
    assert options(path, env=token)[1].http.allowed_hosts is None
    assert options(path, "--host", "::", "--insecure")[1].http.allowed_hosts is None
    given = options(path, "--allowed-host", "a", "--allowed-host", ".b", env=token)[1]
    assert given.http.allowed_hosts == ("a", ".b")


def test_a_token_comes_from_a_file_or_the_environment(options, serving, tmp_path):
    token = "0123456789abcdef"
    (tmp_path / "token").write_text(f"{token}\n")
    path = str(serving)
    assert options(path)[1].settings.token is None
    assert options(path, "--token-file", str(tmp_path / "token"))[1].settings.token == token
    _, given, said = options(path, "--host", "0.0.0.0", env={"SKEWLESS_TOKEN": token})
    assert given.settings.token == token
    assert token not in repr(given)
    assert "without TLS" in said
    assert options(path, "--host", "::", "--insecure")[1].http.host == "::"


def test_the_help_lists_options_by_section():
    text = CliRunner().invoke(serve.command, ["--help"]).output
    titles = ["What is served:", "Where:", "Who may ask:", "What is taken from a request:"]
    places = [text.index(title) for title in titles]
    assert places == sorted(places)
