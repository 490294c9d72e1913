"""One line for each request, without its content."""

import json
import re

import numpy as np
import pytest

from components.serve.access_log import STANDARD_ERROR, AccessLog
from components.serve.messages import Exchange

EXCHANGE = Exchange(
    protocol="rest",
    method="predict",
    model="taxi",
    version=3,
    signature="raw_columns",
    rows=2,
    status=200,
    seconds=0.0123456,
    peer="127.0.0.1:5",
    inputs={"company": np.array([b"secret", b"secret"], object)},
    outputs={"scores": np.array([0.75, 0.25], np.float32)},
)


def test_a_line_describes_a_request_without_its_content(tmp_path):
    log = AccessLog(str(tmp_path / "access.log"))
    log.answered(EXCHANGE)
    log.close()
    text = (tmp_path / "access.log").read_text()
    line = json.loads(text)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "peer": "127.0.0.1:5",
        "protocol": "rest",
        "method": "predict",
        "model": "taxi",
        "version": 3,
        "signature": "raw_columns",
        "rows": 2,
        "status": 200,
        "ms": 12.346,
    }
    assert "secret" not in text
    assert "0.75" not in text


def test_lines_are_appended_in_order(tmp_path):
    path = tmp_path / "access.log"
    path.write_text("{}\n")
    log = AccessLog(str(path))
    for status in (200, 400, 503):
        log.answered(Exchange("grpc", "predict", "taxi", None, "", 0, status, 0.001))
    log.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line.get("status") for line in lines] == [None, 200, 400, 503]
    assert log.written == 3


def test_standard_error_by_a_dash(capsys):
    log = AccessLog(STANDARD_ERROR)
    log.answered(EXCHANGE)
    log.close()
    assert json.loads(capsys.readouterr().err)["model"] == "taxi"


@pytest.mark.parametrize("lines", [1, 3])
def test_lines_that_cannot_be_written_are_counted_and_reported_once(tmp_path, caplog, lines):
    log = AccessLog(str(tmp_path))  # a folder
    for _ in range(lines):
        log.answered(EXCHANGE)
    log.close()
    assert (log.written, log.failed, log.failing) == (0, lines, True)
    assert caplog.text.count("cannot be written") == 1
