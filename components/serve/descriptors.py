"""How many files and connections this process may have open, and what that leaves for clients.

Promised: the limit is raised as far as it goes without rights, and connections never take the
descriptors that loading a version, logs and health checks need.
"""

from __future__ import annotations

import logging
import os
import resource
from collections.abc import Sequence
from dataclasses import replace

from components.serve.settings import Address

_ENOUGH = 65_536  # where there is no limit at all
_RESERVED = 128  # for versions that are loaded, logs, and what the libraries open
_FEWEST = 16  # connections of a port, however low the limit is

_logger = logging.getLogger(__name__)


def raise_limit() -> int:
    """Raise the limit of open files as far as that goes, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else hard
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:  # a sandbox may forbid it
        _logger.warning("the limit of open files stays at %d: %s", soft, error)
        return soft
    return wanted


def affordable(addresses: Sequence[Address], limit: int) -> list[Address]:
    """Return the addresses, with no more connections than a limit of open files has room for.

    Args:
      addresses: of all that listens in this process.
      limit: of open files.
    """
    extra = sum(
        each.spare_connections + (each.handshakes if each.certificate is not None else 0)
        for each in addresses
    )
    wanted = sum(each.connections for each in addresses)
    room = limit - _opened() - _RESERVED - extra
    if wanted <= room:
        return list(addresses)
    share = max(room, 0) / wanted
    fitting = [
        replace(each, connections=max(_FEWEST, int(each.connections * share))) for each in addresses
    ]
    _logger.warning(
        "the limit of open files is %d: of %d connections, %d are taken at once; raise it"
        " (ulimit -n, LimitNOFILE) for more",
        limit,
        wanted,
        sum(each.connections for each in fitting),
    )
    return fitting


def _opened() -> int:
    """Return how many descriptors this process has open."""
    return len(os.listdir("/dev/fd"))
