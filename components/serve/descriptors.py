"""The limit of open files and connections of this process, and the share of clients.

The limit is raised as far as possible without privileges. Connections never use the descriptors
that loading a version, logs and health checks need.
"""

from __future__ import annotations

import logging
import os
import resource
from collections.abc import Sequence
from dataclasses import replace

from components.serve.settings import Address

_ENOUGH = 65_536  # if there is no limit at all
_RESERVED = 128  # for loading versions, logs, and files that libraries open
_FEWEST = 16  # connections of a port, however low the limit is

_logger = logging.getLogger(__name__)


def raise_limit() -> int:
    """Raise the limit of open files as far as possible, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = _ENOUGH if hard == resource.RLIM_INFINITY else hard
    if soft == resource.RLIM_INFINITY or soft >= target:
        return target if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
    except (OSError, ValueError) as error:  # a sandbox may forbid it
        _logger.warning("the limit of open files stays at %d: %s", soft, error)
        return soft
    return target


def affordable(addresses: Sequence[Address], limit: int) -> list[Address]:
    """Return the addresses with no more connections than a limit of open files allows.

    Args:
      addresses: all addresses of this process.
      limit: the limit of open files.
    """
    extra = sum(
        each.spare_connections + (each.handshakes if each.certificate is not None else 0)
        for each in addresses
    )
    needed = sum(each.connections for each in addresses)
    room = limit - _opened() - _RESERVED - extra
    if needed <= room:
        return list(addresses)
    share = max(room, 0) / needed
    fitting = [
        replace(each, connections=max(_FEWEST, int(each.connections * share))) for each in addresses
    ]
    _logger.warning(
        "the limit of open files is %d: of %d connections, %d are accepted at once; raise it"
        " (ulimit -n, LimitNOFILE) for more",
        limit,
        needed,
        sum(each.connections for each in fitting),
    )
    return fitting


def _opened() -> int:
    """Return the number of open descriptors of this process."""
    return len(os.listdir("/dev/fd"))
