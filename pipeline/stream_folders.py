"""Where a stream may write: into folders apart from each other, its input and its model.

Everything is checked before the stream starts: a stream that reads what it writes never ends, and
scores and dead letters have names that follow from their source's, so that in one folder they would
replace each other.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from components import files, overlap
from components.sources.found import WILDCARD
from schemas.errors import ConfigError


def check(pattern: str | None, folders: Mapping[str, tuple[str, str]], kept: Sequence[str]) -> None:
    """Check the folders that a stream writes to.

    Args:
      pattern: of the files that are read; None for messages.
      folders: by option, each with the ending of the files that are written to it.
      kept: folders that nothing may be written to, such as the model's.

    Raises:
      ConfigError: one is a file, is another one, lies in a folder that is kept, or has files that
        the pattern matches written to it.
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
                raise _refusal(f"{option} lies in a folder of models, or of what a run keeps", read)
        if pattern is not None and takes_in(pattern, folder, ending):
            raise _refusal(f"the input {pattern!r} takes in what is written to {option}", folder)
    names = list(folders)
    if len(names) == 2 and overlap.is_same(folders[names[0]][0], folders[names[1]][0]):
        raise _refusal(f"{names[0]} and {names[1]} are one folder", folders[names[0]][0])


def takes_in(pattern: str, folder: str, ending: str) -> bool:
    """Return whether a pattern matches files in a folder that a stream writes to.

    Args:
      pattern: with `*` and `?` for characters of one name, `**` for those of any path.
      folder: what the files lie in.
      ending: what their names end in, after a dash and a number.

    >>> takes_in("/in/*.csv", "/in", ".csv"), takes_in("/in/*.csv", "/in/out", ".csv")
    (True, False)
    """
    place, name = os.path.split(files.absolute(pattern))
    if not WILDCARD.search(pattern):
        return False  # one file, and none that is written has the name of its source
    tail = re.split(r"[*?\]]", name)[-1]
    if not ending.endswith(tail.lstrip("-0123456789")):
        return False
    if "**" in pattern:
        base = WILDCARD.split(files.absolute(pattern))[0]
        return overlap.is_within(folder, os.path.dirname(base))
    wanted, found = (overlap.settled(path).split("/") for path in (place, folder))
    return len(wanted) == len(found) and all(map(fnmatchcase, found, wanted))


def _is_no_folder(path: str) -> bool:
    return os.path.lexists(path) and not os.path.isdir(path)


def _refusal(what: str, where: str) -> ConfigError:
    return ConfigError(
        what,
        where=where,
        expected="folders apart from the input, the model and each other",
        remedy="name another folder",
    )
