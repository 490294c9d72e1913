"""How many connections are open, and which of them makes room when there are too many.

Goes in: connections as they come and go. Promised: clients that ask nothing cannot keep out those
that do, and a few places are left for health checks. Nothing here knows of sockets or of a
server's library.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Protocol


class Place(enum.Enum):
    """What a connection gets: a place, a spare one that is for health checks, or none."""

    USUAL = enum.auto()
    SPARE = enum.auto()
    NONE = enum.auto()


class Client(Protocol):
    """A connection."""

    @property
    def expendable(self) -> bool:
        """Whether it may be closed for another one."""

    def abort(self) -> None:
        """Close it at once."""


class Places:
    """Gives places to connections.

    Args:
      most: usual places.
      spare: places beyond these.
    """

    def __init__(self, most: int, spare: int) -> None:
        self._sizes = {Place.USUAL: most, Place.SPARE: spare}
        # The oldest come first.
        self._taken: dict[Place, dict[Client, None]] = {Place.USUAL: {}, Place.SPARE: {}}

    def enter(self, client: Client) -> Place:
        """Give a connection a place; the oldest expendable one may be closed for it."""
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
