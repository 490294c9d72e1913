"""Reads the text of configuration files, in the encodings that editors use."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import ConfigError

if TYPE_CHECKING:
    import pydantic

# By the first bytes of a file. UTF-32 comes first: in little-endian it begins like UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read_text(path: Path, *, most: int) -> str:
    r"""Return a file's text with "\n" as line ends.

    The encoding is UTF-8, or that of the byte order mark, which is removed.

    Args:
      path: the file.
      most: the largest number of bytes.

    Raises:
      FileNotFoundError: there is no such file.
      ConfigError: it cannot be read, is too large, or has another encoding; names the line.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(f"{path.name} cannot be read: {error}", where=str(path)) from error
    if len(data) > most:
        raise ConfigError(
            f"{path.name} has more than {most:,} bytes",
            where=str(path),
            remedy="check that it is the right file",
        )
    text = _decoded(data, path)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes, path: Path) -> str:
    mark, encoding = next((m for m in _MARKS if data.startswith(m[0])), (b"", "utf-8"))
    body = data[len(mark) :]
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise _encoding_error(path, encoding, line, str(error), "latin1") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _encoding_error(path, encoding, line, "it has NUL characters", "UTF-16LE")
    return text


def _encoding_error(
    path: Path, encoding: str, line: int, problem: str, perhaps: str
) -> ConfigError:
    return ConfigError(
        f"{path.name} is not {encoding.upper()}: {problem}",
        where=f"{path}:{line}",
        expected="text in UTF-8",
        remedy=f"convert it to UTF-8, such as with iconv -f {perhaps} -t UTF-8",
    )


def or_file(read: Callable[[Path], Any]) -> Callable[[Any, pydantic.ValidationInfo], Any]:
    """Return a validator that reads the file that a text names, and takes other values as they are.

    Args:
      read: takes the path, which is relative to the validation's context `folder`.
    """

    def validate(value: Any, info: pydantic.ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        path = (info.context or {}).get("folder", Path()) / value
        try:
            return read(path)
        except FileNotFoundError as error:
            raise ValueError(f"there is no file {path}") from error

    return validate
