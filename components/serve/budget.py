"""A limit on the memory of unanswered requests, over all connections together.

It counts the sizes of bodies and messages as they arrive and as they are decompressed. What does
not fit is refused with 429, which is RESOURCE_EXHAUSTED in gRPC. This module depends on no protocol
and no server library.
"""

from __future__ import annotations

from components.serve.failures import TOO_LARGE, TOO_MANY, RequestError


class Budget:
    """Counts the bytes in flight; use it from one event loop.

    Args:
      most: the largest number of bytes in flight.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.used = 0

    def check(self, size: int) -> None:
        """Check that so many bytes would fit now.

        Raises:
          RequestError: they do not fit.
        """
        if self.used + size > self.most:
            raise RequestError(
                f"requests of {self.used} bytes are in flight, and {self.most} is the limit:"
                " try again later",
                TOO_MANY,
            )

    def take(self, size: int) -> None:
        """Count bytes that are kept in memory from now on.

        Raises:
          RequestError: they do not fit; nothing is counted.
        """
        self.check(size)
        self.used += size

    def give(self, size: int) -> None:
        """Subtract bytes once their request is answered."""
        self.used -= size


def too_long(most: int) -> RequestError:
    """Return the error for a body or message of more bytes than this."""
    return RequestError(f"the body has more than {most} bytes", TOO_LARGE)
