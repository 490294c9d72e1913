"""Converts text in any encoding to UTF-8 while it is read."""

from __future__ import annotations

import codecs
from typing import IO

# Bytes that have no meaning in the encoding become one that has none in UTF-8, so that the reader
# rejects their record as it does in a file of UTF-8.
_ERRORS = "skewless.undecodable"
_UNDECODABLE = "\udc80"


def _marked(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # of decoding only
    return _UNDECODABLE, error.end


codecs.register_error(_ERRORS, _marked)


class Utf8Stream:
    """The text of a stream, as UTF-8.

    Args:
      stream: the text in its encoding.
      encoding: a name that Python knows.
    """

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(_ERRORS)
        self._ready = b""
        self._ended = False

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes of UTF-8, fewer only at the end."""
        while len(self._ready) < size and not self._ended:
            chunk = self._stream.read(size)
            self._ended = not chunk
            text = self._decoder.decode(chunk, final=self._ended)
            self._ready += text.encode("utf-8", "surrogateescape")
        ready, self._ready = self._ready[:size], self._ready[size:]
        return ready
