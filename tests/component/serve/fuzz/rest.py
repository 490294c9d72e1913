"""REST requests in valid HTTP, with errors in their method, path, headers or body."""

import base64
import copy
import gzip
import json
import re
import zlib
from typing import Any, NamedTuple
from urllib.parse import quote

from hypothesis import strategies as st

from tests.component.serve.fuzz.edits import changes, scrambled

MODEL = "/v1/models/tiny"

# Values that Python cannot write as JSON, by the string that replaces them in a document.
_TEXTS = {
    "@lists": "[" * 2_000 + "]" * 2_000,
    "@objects": '{"a":' * 1_500 + "1" + "}" * 1_500,
    "@open": "[" * 50_000,
    "@digits": "9" * 5_000,
    "@long": '"' + "x" * 1_000_000 + '"',
    "@many": "[" + "1," * 50_000 + "1]",
    "@huge": "1e999",
    "@tiny": "-1e-999",
    "@zero": "-0",
    "@octal": "01",
    "@point": ".5",
    "@plus": "+1",
    "@hex": "0x10",
    "@nothing": "",
    "@undefined": "undefined",
    "@quotes": "'a'",
    "@escape": r'"\x"',
    "@control": '"\x00"',
    "@twice": '{"age":1,"age":"2"}',
}
_PLACES = re.compile('"(' + "|".join(_TEXTS) + ')"')
_VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    0.5,
    -0.0,
    float("nan"),
    float("inf"),
    -float("inf"),
    1e39,
    5e-324,
    2**24 + 1,
    2**53 + 1,
    2**63,
    -(2**63) - 1,
    2**64,
    10**400,
    "",
    "x",
    "\x00",
    "\ud800",
    "𝄞é日本",
    "../../../../etc/passwd",
    [],
    {},
    [[]],
    [[1, 2], [3]],
    [None],
    {"b64": "AA=="},
    {"b64": "A"},
    {"b64": "=A=="},
    {"b64": "€"},
    {"b64": None},
    {"b64": "AA==", "x": 1},
    {"b64": {"b64": "AA=="}},
    {"": None},
    {"dtype": "DT_FLOAT"},
    *_TEXTS,
]
_KEYS = ["", "age", "signature_name", "instances", "inputs", "examples", "context", "b64", "\ud800"]

junk = (
    st.sampled_from(_VALUES)
    | st.sampled_from(_VALUES).map(lambda value: [value])
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=12).map(lambda data: {"b64": base64.b64encode(data).decode()})
)


def _replace(holder, key, value):
    holder[key] = value


def _drop(holder, key, _):
    del holder[key]


def _rename(holder, key, value):
    if isinstance(holder, dict):
        holder[value if isinstance(value, str) else "a"] = holder.pop(key)
    else:
        holder.insert(key, value)


def _add(holder, key, value):
    if isinstance(holder[key], dict):
        holder[key][_KEYS[len(repr(value)) % len(_KEYS)]] = value
    elif isinstance(holder[key], list):
        holder[key].append(value)


def _wrap(holder, key, value):
    holder[key] = {"b64": holder[key]} if value is None else [holder[key]]


def _repeat(holder, key, _):
    holder[key] = holder[key] * 3 if isinstance(holder[key], (list, str)) else [holder[key]] * 2


_EDITS = [_drop, _rename, _replace, _add, _wrap, _repeat]
_WITHIN = 2  # so many of them need an enclosing value
# A number for each edit, which selects what, where and with which value: drawn much faster.
edits = st.tuples(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4), junk)


def edited(document, edits):
    """Return a document after the edits, each at an existing position."""
    root = [copy.deepcopy(document)]
    numbers, drawn = edits
    for number in numbers:
        places = list(_places(root))
        number, what = divmod(number, len(_EDITS))
        number, place = divmod(number, len(places))
        holder, key = places[place]
        if holder is root and what < _WITHIN:
            continue
        values = [*_VALUES, drawn] if number % 2 else [drawn]
        _EDITS[what](holder, key, copy.deepcopy(values[number % len(values)]))
    return root[0]


def _places(holder):
    for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
        yield holder, key
        if isinstance(holder[key], (dict, list)):
            yield from _places(holder[key])


def dumped(document):
    """Return a document as JSON text, or as text that is nearly JSON."""
    return _PLACES.sub(lambda place: _TEXTS[place[1]], json.dumps(document)).encode()


class Asked(NamedTuple):
    """A request as bytes; `name` of its method, and whether it has a timeout."""

    method: str
    data: bytes
    hurried: bool = False

    def __repr__(self):
        shown = self.data if len(self.data) < 3_000 else self.data[:1_500] + b" ... "
        return f"Asked({self.method!r}, {len(self.data)} bytes: {shown!r})"


_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "post", "X-Y"]
_PATHS = [
    f"{MODEL}:predict",
    f"{MODEL}:classify",
    f"{MODEL}:regress",
    MODEL,
    f"{MODEL}/metadata",
    f"{MODEL}/description",
    f"{MODEL}/versions/1:predict",
    f"{MODEL}/versions/99999999999999999999:predict",
    f"{MODEL}/versions/-1",
    f"{MODEL}/versions/1/labels/a",
    f"{MODEL}/labels/../../x:predict",
    "/v1/models",
    "/v1/models/",
    "/v1/models/../../../../etc/passwd",
    "/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd/metadata",
    "/v1/models/..%5c..%5csaved_model.pb:predict",
    "/v1/models/tiny%00:predict",
    "/v1/models/" + "n" * 6_000 + ":predict",
    "/../../../../etc/passwd",
    "//etc/passwd",
    "/page_files/main.js",
    "/metrics",
    "/healthz",
    "/readyz",
    "/",
    "*",
    "http://elsewhere/v1/models/tiny",
    "/v1/models/tiny?signature_name=x&a[]=%ff#x",
]
_PIECES = ["%", "%2", "%zz", "%ff", "%00", "..", "/", ":", "é", "?", "#", "\\", "@", "//", ";a=b"]
_HEADERS = [
    "Content-Type: text/plain",
    "Content-Type: multipart/form-data; boundary=",
    "Content-Type: application/json; charset=utf-16",
    "Skewless-Timeout: 1e-9",
    "Skewless-Timeout: -1",
    "Skewless-Timeout: soon",
    "Skewless-Timeout: NaN",
    "Skewless-Timeout: 1e999",
    "Authorization: Bearer \xff\xfe",
    "Authorization: Basic Og==",
    "Expect: 100-continue",
    "Expect: a miracle",
    "Connection: close",
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
    "Connection: Upgrade\r\nUpgrade: websocket",
    "Range: bytes=0-1",
    "If-Match: *",
    "X-Forwarded-For: " + "1.1.1.1, " * 500,
    "Cookie: " + "a=b; " * 1_000,
]

_paths = st.sampled_from(_PATHS) | st.builds(
    lambda path, at, piece: path[: at % len(path)] + piece + path[at % len(path) :],
    st.sampled_from(_PATHS[:6]),
    st.integers(0, 60),
    st.sampled_from(_PIECES) | st.text(max_size=3),
)
_encodings = st.sampled_from(["gzip", "gzip", "deflate", "identity", "cut", "gzip, gzip", "br"])


def requests(documents):
    """Return a strategy for requests similar to those of correct documents, by path."""
    bodies = st.builds(
        lambda right, edits: (right[0], dumped(edited(right[1], edits))),
        st.sampled_from(documents),
        edits,
    )
    noise = st.builds(
        lambda right, changes: (right[0], scrambled(dumped(right[1]), changes)),
        st.sampled_from(documents),
        changes,
    )
    elsewhere = st.tuples(_paths, st.sampled_from([dumped(d) for _, d in documents] + [b"", b"x"]))
    packed = st.builds(_packed, bodies, _encodings)
    plain = st.builds(_asked, st.just("POST"), bodies | noise, st.just(""))
    anything = st.builds(
        _asked, st.sampled_from(_METHODS), elsewhere | bodies, st.sampled_from(["", *_HEADERS])
    )
    return plain | plain | anything | packed


def _asked(method, what, header):
    path, body = what
    lines = [f"{method} {quote(path, safe='%/:?#[]@!$&*+,;=')} HTTP/1.1", "Host: localhost"]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    if header:
        lines.append(header)
    data = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    return Asked(method, data, hurried=header.startswith("Skewless-Timeout"))


def _packed(what, encoding):
    path, body = what
    if encoding == "deflate":
        body = zlib.compress(body, 1)
    elif encoding != "identity":
        body = gzip.compress(body, 1, mtime=0)
    if encoding == "cut":
        encoding, body = "gzip", body[: len(body) // 2]
    return _asked("POST", (path, body), f"Content-Encoding: {encoding}")
