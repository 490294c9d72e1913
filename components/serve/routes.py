"""Maps a method and a path to a resource.

Names and versions in a path are compared with those being served; they never reach the file system.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from components.serve import json_text
from components.serve.failures import NOT_FOUND, RequestError

PREDICT, CLASSIFY, REGRESS = "predict", "classify", "regress"
EXPLAIN = "explain"
STATUS, METADATA, DESCRIPTION, MODELS = "status", "metadata", "description", "models"
HEALTHY, READY, METRICS, PAGE = "healthz", "readyz", "metrics", "page"

ASKING = frozenset({PREDICT, CLASSIFY, REGRESS})
# Paths of health checks, which have reserved places; and all paths that need no token.
HEALTH = frozenset({"/healthz", "/readyz"})
OPEN = HEALTH | {"/"}

_FIXED = {
    "/healthz": HEALTHY,
    "/readyz": READY,
    "/metrics": METRICS,
    "/monitoring/prometheus/metrics": METRICS,  # TensorFlow Serving's default
    "/v1/models": MODELS,
    "/": PAGE,
}
_MODEL = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_ASK = re.compile(_MODEL + r":(?P<what>predict|classify|regress|explain)", re.IGNORECASE)
_ABOUT = re.compile(_MODEL + r"(?:/(?P<what>metadata|description))?", re.IGNORECASE)


_LONGEST = 1_024  # characters of a path; longer than any name and label that are folder names


class Route(NamedTuple):
    """The resource of a request.

    Attributes:
      what: one of the constants above.
      name: the model's name; empty if the request is not about a model.
      version: the model's version, if the path has its number.
      label: the version's label, if the path has one.
    """

    what: str
    name: str = ""
    version: int | None = None
    label: str | None = None


def route(method: str, path: str) -> Route:
    """Return the resource of a request.

    Raises:
      RequestError: there is no such resource.
    """
    if len(path) > _LONGEST:  # so that the cache of paths is limited in bytes, too
        raise RequestError(f"there is nothing at a path of {len(path)} characters", NOT_FOUND)
    return _route(method, path)


@lru_cache(maxsize=1_024)
def _route(method: str, path: str) -> Route:
    if path in _FIXED and method == "GET":
        return Route(_FIXED[path])
    if not path.lower().startswith("/v1/"):
        raise RequestError(f"there is nothing at {json_text.excerpt(path)}", NOT_FOUND)
    pattern = {"POST": _ASK, "GET": _ABOUT}.get(method)
    match = pattern.fullmatch(path) if pattern else None
    if match is None:
        raise RequestError(
            f"malformed request: {method} {json_text.excerpt(path)}; expected POST"
            " /v1/models/NAME[/versions/N|/labels/L]:predict, :classify or :regress, or GET"
            " /v1/models/NAME[/versions/N|/labels/L][/metadata|/description]"
        )
    version = match["version"]
    if version is not None and len(version) > 18:  # may not fit into an int64
        raise RequestError(f"failed to convert version {json_text.excerpt(version)} to a number")
    what = (match["what"] or STATUS).lower()
    return Route(what, match["name"], None if version is None else int(version), match["label"])
