"""Keeps passwords, tokens and keys off the screen and out of the logs.

`redacted` replaces by `***` the user and password in a URL, and the value of an option whose name
suggests a secret. All errors, log files and output streams of ours use it, so that messages need
not care.
"""

from __future__ import annotations

import difflib
import itertools
import logging
import re
from collections.abc import Sequence
from functools import lru_cache

HIDDEN = "***"

# The user may be empty, but not the password: s3://bucket/key@2 and http://host:8081/page@2 have
# neither.
_IN_URL = re.compile(
    r"""((?<![\w+.-])[A-Za-z][A-Za-z0-9+.-]{0,20}://)"""
    r"""(?:[^\s/@:'"]*:(?!\d{1,5}/)[^\s@'"]*|[^\s/@:'"]+)@"""
)
# name=value, --name=value, -Dname=value, 'name': 'value', "name": "value"
_NAMED = re.compile(
    r"""(?<![\w.])(?P<name>[\w.-]{1,200})(?P<is>=|["']\s*:\s*(?=["']))"""
    r"""(?P<value>"[^"]*"|'[^']*'|[^\s'",;&}\])]+)"""
)
# Beam's message about unknown options: one of them may be a misspelt secret.
_DISCARDED = re.compile(r"(Discarding (?:unparseable args|invalid overrides): )(.*)")
_OPTION = re.compile(r"--[\w-]+")

_SECRETS = ("password", "passwd", "passphrase", "secret", "token", "credential", "credentials")
_KEYS = ("access", "private", "account", "api", "encryption")  # before the word "key"
_NEAR = 0.8  # so that a misspelt secret is still recognized
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def redacted(text: str) -> str:
    """Return a text without its secrets.

    >>> redacted("nobody answers at http://ann:hunter2@host:8081/")
    'nobody answers at http://***@host:8081/'
    >>> redacted("java -Dspark.hadoop.fs.s3a.secret.key=hunter2 -Dspark.cores.max=2")
    'java -Dspark.hadoop.fs.s3a.secret.key=*** -Dspark.cores.max=2'
    """
    if "Discarding" in text:
        text = _DISCARDED.sub(_names_only, text)
    if "@" in text:
        text = _IN_URL.sub(rf"\1{HIDDEN}@", text)
    if "=" in text or ":" in text:
        text = _NAMED.sub(_hidden, text)
    return text


class RedactingFormatter(logging.Formatter):
    """Formats log records, including tracebacks, without their secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        return redacted(super().format(record))


@lru_cache(maxsize=1_024)
def is_secret(name: str) -> bool:
    """Return whether an option's name, even if misspelt, means that its value is a secret.

    >>> [is_secret(name) for name in ("s3_secret_acces_key", "db.pasword", "max_tokens", "key")]
    [True, True, False, False]
    """
    words = [word.lower() for word in _WORD.findall(name)]
    return any(
        (_is_near(word, _SECRETS) and word != "tokens")  # a number of tokens
        or (following == "key" and _is_near(word, _KEYS))
        for word, following in itertools.zip_longest(words, words[1:])
    )


def _is_near(word: str, known: Sequence[str]) -> bool:
    return bool(difflib.get_close_matches(word, known, 1, _NEAR))


def _hidden(match: re.Match[str]) -> str:
    if not is_secret(match["name"]):
        return match[0]
    quote = match["value"][0] if match["value"][0] in "\"'" else ""
    return f"{match['name']}{match['is']}{quote}{HIDDEN}{quote}"


def _names_only(match: re.Match[str]) -> str:
    return match[1] + ", ".join(_OPTION.findall(match[2]))
