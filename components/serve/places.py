"""Counts open connections, and chooses which one to close when there are too many.

Clients without requests cannot keep out those with requests, and a few places are reserved for
health checks. This module depends on no sockets and no server library.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Protocol


class Place(enum.Enum):
    """The place of a connection: a usual one, a spare one for health checks, or none."""

    USUAL = enum.auto()
    SPARE = enum.auto()
    NONE = enum.auto()


class Client(Protocol):
    """A connection."""

    @property
    def expendable(self) -> bool:
        """Whether it may be closed for another connection."""

    def abort(self) -> None:
        """Close it at once."""


class Places:
    """Gives places to connections.

    Args:
      most: the number of usual places.
      spare: the number of additional places.
    """

    def __init__(self, most: int, spare: int) -> None:
        self._sizes = {Place.USUAL: most, Place.SPARE: spare}
        # Oldest first.
        self._taken: dict[Place, dict[Client, None]] = {Place.USUAL: {}, Place.SPARE: {}}

    def enter(self, client: Client) -> Place:
        """Give a connection a place; this may close the oldest expendable connection."""
        for place, clients in self._taken.items():
            if len(clients) >= self._sizes[place]:
                oldest = _first_expendable(clients)
                if oldest is None:
                    continue
                del clients[oldest]
                oldest.abort()
            clients[client] = None
            return place
        return Place.NONE

    def leave(self, client: Client) -> None:
        """Free a connection's place, if it has one."""
        for clients in self._taken.values():
            clients.pop(client, None)


def _first_expendable(clients: Iterable[Client]) -> Client | None:
    return next((client for client in clients if client.expendable), None)
