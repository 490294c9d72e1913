"""No password, token or key is shown, however its option is spelt, and nothing else is hidden."""

import io
import logging
import time

import pytest
from click.testing import CliRunner

from pipeline import cli, runners, serve
from pipeline.logs import captured
from schemas.errors import ConfigError, SkewlessError
from schemas.runners import Runner
from schemas.secrets import RedactingFormatter, is_secret, redacted

SECRET = "hunter2-Zq9"


@pytest.mark.parametrize(
    "text",
    [
        "http://ann:{}@host:8081/jobs",
        "http://:{}@host",
        "https://{}@host/path",
        "cannot read s3://AKIA:{}@bucket/rows.csv: no such key",
        "spark://u:p/{}@host:7077",
        "--s3_secret_access_key={}",
        "--s3_secret_acces_key={}",
        "--pasword={}",
        "--passwrod='{}'",
        "['--auth_tokne={}', '--runner=FlinkRunner']",
        "-Dspark.hadoop.fs.s3a.secert.key={} -Dspark.cores.max=2",
        "-Dspark.ssl.keyPassword={}",
        "got {{'password': '{}', 'a': 1}}",
        '{{"env": {{"AWS_SECRET_ACCESS_KEY": "{}"}}}}',
        "AZURE_ACCOUNT_KEY={}",
        "Discarding unparseable args: ['--fetch_spees={}', '--x', '{}']",
    ],
)
def test_secrets_are_hidden(text):
    shown = redacted(text.replace("{}", SECRET) if "{{" not in text else text.format(SECRET))
    assert SECRET not in shown


@pytest.mark.parametrize(
    "text",
    [
        "there is no folder gs://bucket/rows@2/part-0",
        "http://host:8081/page@2",
        "mail to ann@example.com",
        "--max_tokens=100 --runner=FlinkRunner --key=order_id",
        "runner.spark.conf.password: expected a text",
        "{'name': 'taxi', 'key': 'id'}",
        "vocabulary_size=100, monkey=1, keys=['a']",
        "'Authorization: Bearer TOKEN' is missing",
        "where:     --token-file",
    ],
)
def test_all_else_is_shown(text):
    assert redacted(text) == text


def test_options_that_beam_does_not_know_keep_their_names():
    text = f"Discarding unparseable args: ['--fetch_spees={SECRET}', '--x', '{SECRET}']"
    assert redacted(text) == "Discarding unparseable args: --fetch_spees, --x"


def test_long_texts_take_no_time():
    started = time.process_time()
    for text in ("a" * 1_000_000, "a=" * 300_000, "a://" * 200_000, "@:" * 300_000 + "="):
        redacted(text)
    assert time.process_time() - started < 5


def test_no_error_has_a_secret():
    url = f"http://ann:{SECRET}@host"
    error = SkewlessError(f"nobody at {url}", where=url, expected=url, remedy=f"curl {url}")
    for text in (str(error), error.what, error.where, error.expected, error.remedy, *error.args):
        assert SECRET not in text
    assert error.where == "http://***@host"


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("flink", [f"master=http://ann:{SECRET}@host:8081"]),
        ("spark", [f"master=http://ann:{SECRET}@host:7077"]),
        ("spark", [f"page=http://ann:{SECRET}@host:8080"]),
        ("spark", [f"conf.sparkk.password={SECRET}"]),
        ("spark", [f"conf.spark.password=@{SECRET}"]),
        ("spark", [f"conf.spark.password:{SECRET}"]),
        ("spark", [f"workers={{process: {{command: x, environment: {{TOKEN: [{SECRET}]}}}}}}"]),
        ("flink", [f"pasword={SECRET}"]),
    ],
)
def test_no_message_about_a_runner_has_a_secret(name, settings):
    with pytest.raises(ConfigError) as caught:
        runners.choose(Runner(), name, settings)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "--token-file", SECRET],
        ["serve", f"--token={SECRET}"],
    ],
)
def test_no_message_about_the_command_line_has_a_secret(arguments, capfd):
    assert cli.main(arguments) == 2
    shown = capfd.readouterr()
    assert SECRET not in shown.out + shown.err
    assert "rror: " in shown.err


def test_no_log_has_a_secret(tmp_path):
    log = tmp_path / "run.log"
    with captured(log):
        logging.getLogger("apache_beam").warning("service with %s", [f"--pasword={SECRET}"])
        try:
            raise OSError(f"http://ann:{SECRET}@host")
        except OSError:
            logging.getLogger("x").exception("failed")
    text = log.read_text()
    assert SECRET not in text
    assert "--pasword=***" in text
    assert "OSError: http://***@host" in text


def test_the_formatter_keeps_its_format():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter("%(name)s: %(message)s"))
    logger = logging.Logger("name")
    logger.addHandler(handler)
    logger.error("token=%s", SECRET)
    assert stream.getvalue() == "name: token=***\n"


def test_a_token_file_that_is_there_is_taken(tmp_path):
    (tmp_path / "token").write_text("0123456789abcdef")
    result = CliRunner().invoke(
        serve.command, ["--token-file", str(tmp_path / "token")], standalone_mode=False
    )
    assert "there is nothing to serve" in str(result.exception)


def test_names_are_read_word_by_word():
    assert is_secret("keyPassword")
    assert is_secret("PRIVATE_KEY")
    assert not is_secret("primary_key")
