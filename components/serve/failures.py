"""Errors of requests: an HTTP status and a sentence, paired as in TensorFlow Serving.

The codes are those of TensorFlow's errors and of gRPC: InvalidArgument is 400, NotFound 404, and so
on. If several codes share a status, a `RequestError` can name its code.
"""

from __future__ import annotations

from collections.abc import Callable

INVALID_ARGUMENT = 3
FAILED_PRECONDITION = 9

# By number in TensorFlow's error_codes.proto; every other code is an internal fault, 500.
STATUS_OF_CODE = {
    INVALID_ARGUMENT: 400,
    4: 504,  # DEADLINE_EXCEEDED
    5: 404,  # NOT_FOUND
    7: 403,  # PERMISSION_DENIED
    8: 429,  # RESOURCE_EXHAUSTED
    FAILED_PRECONDITION: 400,
    11: 400,  # OUT_OF_RANGE
    12: 501,  # UNIMPLEMENTED
    14: 503,  # UNAVAILABLE
    16: 401,  # UNAUTHENTICATED
}

BAD_REQUEST = 400
UNAUTHENTICATED = 401
FORBIDDEN = 403
NOT_FOUND = 404
REQUEST_TIMEOUT = 408
TOO_LARGE = 413
MISDIRECTED = 421
TOO_MANY = 429
INTERNAL = 500
UNIMPLEMENTED = 501
UNAVAILABLE = 503
DEADLINE = 504

# A request that is too large never succeeds, so it is not RESOURCE_EXHAUSTED.
_CODE_OF_STATUS = {
    **{status: code for code, status in STATUS_OF_CODE.items() if status != BAD_REQUEST},
    BAD_REQUEST: INVALID_ARGUMENT,
    REQUEST_TIMEOUT: 4,
    TOO_LARGE: INVALID_ARGUMENT,
}
_CODE_INTERNAL = 13


# Characters of a message; messages may quote a request, so they are cut.
_LONGEST = 10_000


class RequestError(Exception):
    """A request that is answered with an error.

    Args:
      message: one sentence that names what is wrong and what was expected; a long one is cut.
      status: the HTTP status.
      code: the gRPC code, if it is not the usual one for the status.
    """

    def __init__(self, message: str, status: int = BAD_REQUEST, code: int | None = None) -> None:
        if len(message) > _LONGEST:
            message = f"{message[:_LONGEST]}…"
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = _CODE_OF_STATUS.get(status, _CODE_INTERNAL) if code is None else code


class GraphError(RequestError):
    """A request that the graph refused, with the message of the op.

    Args:
      message: the message.
      status: the HTTP status.
      explain: searches the value at fault, and returns an error that names it, or this error. The
        search takes longer than an answer, so call it only once the request is alone.
    """

    def __init__(
        self, message: str, status: int, explain: Callable[[GraphError], RequestError]
    ) -> None:
        super().__init__(message, status)
        self._explain = explain

    def explained(self) -> RequestError:
        """Return the error that names the value at fault; this error if none is found."""
        return self._explain(self)


class RowError(RequestError):
    """A value of one row that does not fit.

    Args:
      row: the index of the row in the request.
      problem: what is wrong; begins with the input or the feature.
    """

    def __init__(self, row: int, problem: str) -> None:
        super().__init__(f"row {row}, {problem}")
        self._row, self._problem = row, problem

    def within(self, rows: str | None) -> RequestError:
        """Return the error in terms of the request's rows.

        Args:
          rows: the name of the list of rows in the request; None if it has columns.
        """
        return self if rows is None else RequestError(f"{rows}[{self._row}], {self._problem}")
