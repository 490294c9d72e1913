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
        self.check(size)
        self.used += size

    def give(self, size: int) -> None:
        """Count bytes off, once what they asked is answered."""
        self.used -= size


def too_long(most: int) -> RequestError:
    """Return the refusal of a body or message of more bytes than this."""
    return RequestError(f"the body has more than {most} bytes", TOO_LARGE)
