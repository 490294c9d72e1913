"""What a request is refused with: an HTTP status and a sentence, as TensorFlow Serving pairs them.

The codes are those of TensorFlow's errors: InvalidArgument is 400, NotFound 404, and so on.
"""

from __future__ import annotations

# By number in TensorFlow's error_codes.proto; every other code is a fault of ours, 500.
STATUS_OF_CODE = {
    3: 400,  # INVALID_ARGUMENT
    4: 504,  # DEADLINE_EXCEEDED
    5: 404,  # NOT_FOUND
    8: 429,  # RESOURCE_EXHAUSTED
    9: 400,  # FAILED_PRECONDITION
    11: 400,  # OUT_OF_RANGE
    12: 501,  # UNIMPLEMENTED
    14: 503,  # UNAVAILABLE
}
INTERNAL = 500

BAD_REQUEST = 400
NOT_FOUND = 404
REQUEST_TIMEOUT = 408
TOO_LARGE = 413
TOO_MANY = 429
UNAVAILABLE = 503
DEADLINE = 504


class RequestError(Exception):
    """A request that is answered with an error.

    Args:
      message: one sentence that names what is wrong and what was expected.
      status: the HTTP status.
    """

    def __init__(self, message: str, status: int = BAD_REQUEST) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
