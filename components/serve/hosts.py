"""Checks the Host header of a request: the names by which clients may reach the server.

A malformed header is refused with 400 (RFC 9112, 3.2), a name that is not allowed with 421. So a
web page cannot reach the server under its own name by pointing that name to this machine (DNS
rebinding).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection

import httptools

from components.serve import http_text
from components.serve.failures import MISDIRECTED, RequestError
from components.serve.json_text import excerpt
from schemas.errors import ConfigError

ANY = "*"
_ADDRESSES = "[]"  # in a list of names, means every IP address
# A web page can point its own name to this machine, but an IP address is not its own name.
LOCAL = ("localhost", ".localhost", _ADDRESSES)

_HOST = re.compile(
    r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::(?P<port>[0-9]{0,5}))?"
)
_MOST_KNOWN = 1_024


class Hosts:
    """Checks Host headers.

    Args:
      allowed: host names without ports; one that begins with a dot means all names that end in it;
        None means any name.

    Attributes:
      passed: recent headers that need no other check if the URL is a path.
    """

    def __init__(self, allowed: Collection[str] | None) -> None:
        self.passed = set[bytes]()
        names = None if allowed is None else [_plain(name) for name in allowed]
        self._allowed = None if names is None or ANY in names else names

    def check(self, host: bytes | None, old: bool, url: bytes, open_to_all: bool) -> None:
        """Check the host that a request names.

        Args:
          host: the header; several are joined by ", ".
          old: whether the request is HTTP/1.0, where the header is optional.
          url: the request's target; a host in it takes precedence.
          open_to_all: whether any name is allowed.

        Raises:
          RequestError: the header is missing or malformed, or its name is not allowed.
        """
        if host is None and not old:
            raise RequestError("the request has no Host header")
        name = None if host is None else _name_of(host)
        is_path = url.startswith(b"/")
        if not is_path:
            authority = _authority(url)
            name = name if authority is None else _name_of(authority)
        if name is None or open_to_all:
            return
        if self._allowed is not None and not self._allows(name):
            raise RequestError(
                f"host {excerpt(name)} is not served here; the server's --allowed-host lists the"
                " allowed names",
                MISDIRECTED,
            )
        if host is not None and is_path and len(self.passed) < _MOST_KNOWN:
            self.passed.add(host)

    def _allows(self, name: str) -> bool:
        assert self._allowed is not None
        return any(
            name.endswith(each)
            if each.startswith(".")
            else name == each or (each == _ADDRESSES and _is_address(name))
            for each in self._allowed
        )


def check_allowed(name: str) -> None:
    """Check that a name can be the host of a request.

    Raises:
      ConfigError: it is not a host name, or has a port.
    """
    if name == ANY:
        return
    match = _HOST.fullmatch(_plain(name).removeprefix("."))
    if match is None or match["port"] is not None:
        raise ConfigError(
            f"{name!r} is not the name of a host",
            expected="a name or address without a port, such as models.example.com; .example.com"
            " for all names below it; * for any name",
        )


def _name_of(host: bytes) -> str:
    """Return the name in a Host header, without the port."""
    match = _HOST.fullmatch(host.strip(http_text.BLANKS).decode("latin-1"))
    if match is None or int(match["port"] or 0) > 65_535:
        raise RequestError(
            f"the Host header is {excerpt(host.decode('latin-1'))}; one host was expected"
        )
    if match["name"].startswith("[") and not _is_address(match["name"]):
        raise RequestError(f"the Host header has the address {excerpt(match['name'])}")
    return _plain(match["name"])


def _plain(name: str) -> str:
    """Return a name in normal form: lower case, and IPv6 addresses in brackets."""
    name = name.lower().rstrip(".")
    return f"[{name}]" if ":" in name and name[0] != "[" and _is_address(name) else name


def _authority(url: bytes) -> bytes | None:
    """Return the host and port of a request's target; None if it has none."""
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        raise RequestError("the URL cannot be read") from None
    host: bytes | None = parsed.host
    if host is None:
        return None
    host = b"[%b]" % host if b":" in host else host
    return host if parsed.port is None else b"%b:%d" % (host, parsed.port)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
