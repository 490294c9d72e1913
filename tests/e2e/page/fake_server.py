"""A server with canned answers that records its requests, and an invented model."""

import json
import math
import threading
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

from components.serve import page
from schemas.description import Description, Input, Output, ParityPath, SignatureDescription, Slice
from tests.described import described

HOSTILE = "<img src=x onerror=alert(1)>"
EXAMPLE = {"fare": 12.5, "hour": 12, "tract": math.nan, "payment": "Card"}


def description(**changes: Any) -> Description:
    """Return a model with a column of each kind that the form treats differently."""
    metrics = {"auc": 0.9490, "log_loss": 0.2071}
    fields: dict[str, Any] = {
        "label": "big tip",
        "classes": ("small", "big"),
        "inputs": (
            Input(name="fare", kind="FLOAT", required=True, minimum=0, maximum=100, example=12.5),
            Input(name="hour", kind="INT", required=True, minimum=0, maximum=23, example=12),
            Input(name="tract", kind="INT", required=False, example=None),
            Input(
                name="payment", kind="BYTES", required=True, values=("Cash", "Card"), example="Card"
            ),
            Input(
                name="company",
                kind="BYTES",
                required=False,
                known=("O'Hare", "Flash"),
                example="O'Hare",
            ),
            Input(name=HOSTILE, kind="BYTES", required=False, known=(HOSTILE,), example=HOSTILE),
        ),
        "signatures": (
            SignatureDescription(
                name="predict",
                takes="raw columns",
                outputs=(Output(name="score", dtype="DT_FLOAT", shape=(), meaning="score"),),
            ),
        ),
        "metrics": (
            Slice(name="", rows=2238, metrics=metrics),
            Slice(name=f"company = {HOSTILE}", rows=17, metrics=metrics),
            Slice(name="company = Flash", rows=16, metrics=metrics),
            Slice(name="company = One of a kind", rows=1, metrics=metrics),
        ),
        "min_slice_examples": 17,
        "baseline": {"auc": 0.9450, "log_loss": 0.2148},
        "training_examples": 10512,
        "digests": {"data": "9f86d081" * 8},
        "parity": (ParityPath(name="REST rows", rows=11000, values=22000, differing=0),),
        "real_rows": 10000,
        "adversarial_rows": 1000,
        "versions": {"tensorflow": "2.16.2"},
    }
    return described(**fields | changes)


def score(row: dict[str, Any]) -> float:
    """Score with an invented model: fare matters most, then payment, then the hour."""
    fare = 30.0 if math.isnan(row["fare"]) else row["fare"]
    hour = 0.0 if math.isnan(row["hour"]) else row["hour"]
    return 1 / (1 + math.exp(0.1 * (fare - 20) - (row["payment"] == "Card") + 0.02 * hour))


def answered(scores: list[float]) -> dict[str, Any]:
    """Return the outputs of the signature `predict`."""
    return {
        "score": scores,
        "class": ["big" if s >= 0.5 else "small" for s in scores],
        "probabilities": [[1 - s, s] for s in scores],
        "logits": [math.log(s / (1 - s)) for s in scores],
        "warnings": [f"{HOSTILE} is unknown"] * len(scores),
        "out_of_vocabulary": [0] * len(scores),
    }


def explained(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what an invented model says of a row: a base of -1, and what each field adds."""
    (row,) = rows
    adds = dict.fromkeys(row, 0.0) | {"payment": 1.0, "fare": -0.75}
    ranked = sorted(adds, key=lambda name: -abs(adds[name]))
    return {
        "output": "logit",
        "classes": [],
        "base": [-1.0],
        "value": [-0.75],
        "exact": True,
        "background": 100,
        "contributions": [
            {"column": name, "value": None, "adds": [adds[name]], "error": [0.0]} for name in ranked
        ],
    }


def by_columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


class FakeServer:
    """Serves the page and canned answers.

    Attributes:
      asked: the path and the parsed body of every prediction request, the latest last.
      token: the token that requests need; None for none.
      models: the answer of GET /v1/models.
      described: by path, the body of a description; any other is answered with 404.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.token: str | None = None
        versions = [
            {"version": 7, "state": "AVAILABLE", "labels": []},
            {"version": 5, "state": "END", "labels": []},
            {"version": 6, "state": "AVAILABLE", "labels": ["stable"]},
        ]
        self.models = [{"name": "taxi", "versions": versions, "default": 7}]
        body = description().model_dump(mode="json")
        self.described = {f"/v1/models/taxi{at}": body for at in ("", "/versions/6")}
        self.url = ""

    def add(self, name: str, **changes: Any) -> None:
        """Serve another model, only in version 2."""
        versions = [{"version": 2, "state": "AVAILABLE", "labels": []}]
        self.models.append({"name": name, "versions": versions, "default": 2})
        body = description(name=name, **changes).model_dump(mode="json")
        self.described[f"/v1/models/{quote(name)}"] = body

    def get(self, path: str) -> tuple[int, Any]:
        if path == "/v1/models":
            return 200, {"models": self.models}
        if path.endswith("/description"):
            body = self.described.get(path.removesuffix("/description"))
            return (404, {"error": "no description"}) if body is None else (200, body)
        if path.endswith("/metadata"):
            inputs = {"fare": {"dtype": "DT_FLOAT"}, "company": {"dtype": "DT_STRING"}}
            signatures = {"raw_columns": {"inputs": inputs}}
            return 200, {"metadata": {"signature_def": {"signature_def": signatures}}}
        status = {"error_code": "OK", "error_message": ""}
        return 200, {"model_version_status": [{"version": "7", "status": status}]}

    def post(self, path: str, body: bytes) -> tuple[int, Any]:
        document = json.loads(body)
        self.asked.append((path, document))
        columns = document.get("inputs") or by_columns(document["instances"])
        for name in ("fare", "hour", "tract"):
            for value in columns.get(name, []):
                if isinstance(value, str):
                    return 400, {"error": f"input '{name}': '{value}', expected a number"}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        if path.endswith(":explain"):
            return 200, {"explanations": [explained(rows)]}
        if document["signature_name"] == "raw_columns":
            return 200, {"outputs": {"scores": [0.25] * len(rows), "logits": [-1.1] * len(rows)}}
        outputs = answered([score(row) for row in rows])
        if "instances" in document:
            return 200, {"predictions": [{"score": value} for value in outputs["score"]]}
        return 200, {"outputs": outputs}


class Handler(BaseHTTPRequestHandler):
    """Handles HTTP for a FakeServer."""

    fake: FakeServer

    def do_GET(self) -> None:
        if self.path == "/":
            given = page.answer()
            self.reply(given.status, given.body, given.content_type, given.headers)
        else:
            self.answer(lambda: self.fake.get(self.path))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(lambda: self.fake.post(self.path, body))

    def answer(self, action: Callable[[], tuple[int, Any]]) -> None:
        token = self.fake.token
        refused = token is not None and self.headers["Authorization"] != f"Bearer {token}"
        status, document = (401, {"error": "a token is needed"}) if refused else action()
        self.reply(status, json.dumps(document).encode(), "application/json")

    def reply(self, status: int, body: bytes, kind: str, headers: tuple[str, ...] = ()) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for header in headers:
            self.send_header(*header.split(": ", 1))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def running(fake: FakeServer):
    """Run a fake server at a free port."""
    handler = type("BoundHandler", (Handler,), {"fake": fake})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        fake.url = f"http://127.0.0.1:{http.server_port}/"
        try:
            yield fake
        finally:
            http.shutdown()
            thread.join()
