"""The memory that requests take before they are answered, bounded over all connections together.

Goes in: the sizes of bodies and messages, as they arrive and as they are unpacked. Promised: what
does not fit is refused with 429, which gRPC calls RESOURCE_EXHAUSTED. Nothing here knows of a
protocol or of a server's library.
"""

from __future__ import annotations

from components.serve.failures import TOO_LARGE, TOO_MANY, RequestError


class Budget:
    """Counts the bytes in flight; use it from one event loop.

    Args:
      most: that may be in flight at once.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.used = 0

    def check(self, size: int) -> None:
        """Check that so many bytes would fit now.

        Raises:
          RequestError: they would not.
        """
        if self.used + size > self.most:
            raise RequestError(
                f"requests of {self.used} bytes are in flight, and {self.most} is the limit:"
                " ask again later",
                TOO_MANY,
            )

    def take(self, size: int) -> None:
        """Count bytes that are in memory from now on.

        Raises:
          RequestError: they do not fit; none is counted.
        """
        used = self.used + size
        if used > self.most:
            self.check(size)
        self.used = used

    def give(self, size: int) -> None:
        """Count bytes off, once what they asked is answered."""
        self.used -= size


class Body:
    """A request's body as it arrives: counted, and joined once it is whole.

    Args:
      budget: that the bytes are counted in, until `drop`.
      most: bytes of the body.
    """

    __slots__ = ("_budget", "_data", "_most", "_size")

    def __init__(self, budget: Budget, most: int) -> None:
        self._budget = budget
        self._most = most
        self._size = 0
        self._data: bytes | bytearray = b""

    def add(self, data: bytes) -> None:
        """Take a piece.

        Raises:
          RequestError: the body is too long, or the budget is used up.
        """
        size = self._size + len(data)
        if size > self._most:
            raise too_long(self._most)
        self._budget.take(len(data))
        if not self._size:
            self._data = data  # nearly every body comes in one piece, and is not copied
        else:
            if not isinstance(self._data, bytearray):  # pieces of a byte would cost 40 in a list
                self._data = bytearray(self._data)
            self._data += data
        self._size = size

    def whole(self) -> bytes:
        """Return all of it, which stays counted; this object lets go of the bytes."""
        data, self._data = self._data, b""
        return bytes(data)

    def drop(self) -> None:
        """Count it off: the request is answered, or nobody waits for the answer any more."""
        self._budget.give(self._size)
        self._size = 0
        self._data = b""


def too_long(most: int) -> RequestError:
    """Return the refusal of a body or message of more bytes than this."""
    return RequestError(f"the body has more than {most} bytes", TOO_LARGE)
