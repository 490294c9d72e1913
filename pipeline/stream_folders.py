"""Checks where a stream writes: into folders apart from each other, its input and its model.

Everything is checked before the stream starts. A stream that reads its own output never ends.
Scores and dead letters take their names from their source, so in one folder they would replace each
other.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from components import files, overlap
from components.sources.source_files import WILDCARD
from schemas.errors import ConfigError


def check(pattern: str | None, folders: Mapping[str, tuple[str, str]], kept: Sequence[str]) -> None:
    """Check the folders that a stream writes to.

    Args:
      pattern: the pattern of the input files; None for messages.
      folders: the output folders by option, each with the ending of the files in it.
      kept: folders that must not be written to, such as the model's.

    Raises:
      ConfigError: an output is a file, equals another output, is inside a kept folder, or its files
        match the input pattern.
    """
    if pattern is not None and not WILDCARD.search(pattern) and files.names(pattern):
        raise ConfigError(
            f"the input {pattern!r} is a folder",
            where="--input",
            expected="a pattern of files",
            remedy=f"name the files in it, such as '{pattern.rstrip('/')}/*.csv'",
        )
    for option, (folder, ending) in folders.items():
        if files.is_file(folder) or (not files.in_store(folder) and _is_no_folder(folder)):
            raise _refusal(f"{option} is not a folder", folder)
        for read in kept:
            if overlap.is_within(folder, read):
                raise _refusal(f"{option} is inside a folder of models or of a run", read)
        if pattern is not None and takes_in(pattern, folder, ending):
            raise _refusal(f"the input {pattern!r} matches the output of {option}", folder)
    names = list(folders)
    if len(names) == 2 and overlap.is_same(folders[names[0]][0], folders[names[1]][0]):
        raise _refusal(f"{names[0]} and {names[1]} are the same folder", folders[names[0]][0])


def takes_in(pattern: str, folder: str, ending: str) -> bool:
    """Return whether a pattern matches files in a folder that a stream writes to.

    Args:
      pattern: `*` and `?` match characters of one name, `**` those of any path.
      folder: the folder of the files.
      ending: the ending of their names, after a dash and a number.

    >>> takes_in("/in/*.csv", "/in", ".csv"), takes_in("/in/*.csv", "/in/out", ".csv")
    (True, False)
    """
    place, name = os.path.split(files.absolute(pattern))
    if not WILDCARD.search(pattern):
        return False  # a single file; no output has the name of its source
    tail = re.split(r"[*?\]]", name)[-1]
    if not ending.endswith(tail.lstrip("-0123456789")):
        return False
    if "**" in pattern:
        base = WILDCARD.split(files.absolute(pattern))[0]
        return overlap.is_within(folder, os.path.dirname(base))
    patterns, names = (overlap.settled(path).split("/") for path in (place, folder))
    return len(patterns) == len(names) and all(map(fnmatchcase, names, patterns))


def _is_no_folder(path: str) -> bool:
    return os.path.lexists(path) and not os.path.isdir(path)


def _refusal(what: str, where: str) -> ConfigError:
    return ConfigError(
        what,
        where=where,
        expected="folders apart from the input, the model and each other",
        remedy="name another folder",
    )
