"""Malformed heads of HTTP requests, and hosts that a server refuses."""

import pytest

from components.serve.hosts import LOCAL, Hosts, check_allowed
from schemas.errors import ConfigError
from tests.unit.components.serve.http_client import BODY, Echo, error_of, plug, read_all, say

LAST = b"Connection: close\r\n\r\n"


def status(answer):
    return int(answer.split()[1])


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (b"GET / HTTP/1.1\r\n", 400),
        (b"GET / HTTP/1.0\r\n", 200),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400),
        (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: user@a\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a/b\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a:x\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a:65536\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: [::1\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: [:::1]\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: \xff\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost:\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a_1.example.com.:80 \t\r\n", 200),
        (b"GET / HTTP/1.1\r\nHost: [::1]:8501\r\n", 200),
        (b"GET http://b/ HTTP/1.1\r\nHost: a\r\n", 200),
        (b"GET /\r\n", 400),
        (b"GET /\r\nHost: a\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: a\r\n", 505),
    ],
)
def test_one_well_formed_host_is_named(talk, head, wanted):
    assert status(talk(lambda port, stop: say(port, head + LAST), Echo())) == wanted


@pytest.mark.parametrize(
    ("coding", "wanted"),
    [
        (b"Transfer-Encoding: chunked", 200),
        (b"Transfer-Encoding: Chunked ", 200),
        (b"Transfer-Encoding: gzip, chunked", 501),
        (b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", 501),
        (b"Transfer-Encoding: chunked, chunked", 400),
        (b"Transfer-Encoding: identity", 501),
    ],
)
def test_a_body_that_is_encoded_for_the_transfer_is_refused(talk, coding, wanted):
    data = b"POST / HTTP/1.1\r\nHost: a\r\n" + coding + b"\r\n" + LAST + b"1\r\nx\r\n0\r\n\r\n"
    assert status(talk(lambda port, stop: say(port, data), Echo())) == wanted


def test_http_1_0_has_no_chunks(talk):
    data = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
    answer = talk(lambda port, stop: say(port, data), Echo())
    assert error_of(answer) == (400, "HTTP/1.0 has no Transfer-Encoding")


@pytest.mark.parametrize(
    ("allowed", "host", "served"),
    [
        (LOCAL, b"localhost:8501", True),
        (LOCAL, b"LOCALHOST.", True),
        (LOCAL, b"app.localhost", True),
        (LOCAL, b"127.0.0.1", True),
        (LOCAL, b"[::1]:80", True),
        (LOCAL, b"evil.example", False),
        (LOCAL, b"localhost.evil.example", False),
        (LOCAL, b"127.0.0.1.evil.example", False),
        (LOCAL, b"notlocalhost", False),
        (("models.example.com",), b"Models.Example.com:443", True),
        (("models.example.com",), b"x.models.example.com", False),
        (("models.example.com",), b"127.0.0.1", False),
        ((".example.com",), b"a.b.example.com", True),
        ((".example.com",), b"example.com", False),
        (("::1",), b"[::1]", True),
        (("a", "*"), b"b", True),
        (None, b"b", True),
    ],
)
def test_only_hosts_that_are_allowed_are_answered_for(talk, allowed, host, served):
    def client(port, stop):
        return [
            status(say(port, b"GET %b HTTP/1.1\r\nHost: %b\r\n%b" % (target, named, LAST)))
            for target, named in (
                (b"/x", host),
                (b"http://%b/x" % host, b"127.0.0.1"),
                (b"/healthz", host),  # load balancers may use any name
            )
        ]

    wanted = 200 if served else 421
    assert talk(client, Echo(), allowed_hosts=allowed) == [wanted, wanted, 200]


def test_a_host_is_refused_before_the_body_and_again_each_time(talk):
    def client(port, stop):
        with plug(port) as plugged:
            head = f"POST /x HTTP/1.1\r\nHost: evil.example\r\nContent-Length: {len(BODY)}\r\n\r\n"
            plugged.sendall(head.encode())
            return read_all(plugged)

    for _ in range(2):
        code, message = error_of(talk(client, Echo(), allowed_hosts=LOCAL))
        assert code == 421
        assert "'evil.example' is not served here; the server's --allowed-host lists" in message


def test_no_number_of_hosts_fills_the_memory():
    hosts = Hosts(None)
    for number in range(3_000):
        hosts.check(b"a%d" % number, False, b"/", False)
    assert len(hosts.passed) == 1_024


@pytest.mark.parametrize("name", ["a:80", "http://a", "a b", "", ".", "a/"])
def test_what_is_allowed_is_a_name(name):
    with pytest.raises(ConfigError, match="is not the name of a host"):
        check_allowed(name)


@pytest.mark.parametrize("name", ["a", ".a.b", "*", "127.0.0.1", "::1", "[::1]"])
def test_names_and_addresses_can_be_allowed(name):
    check_allowed(name)
