"""A client for tests of the HTTP listener, and an app that needs no model."""

import contextlib
import http.client
import json
import socket

from components.serve.messages import Answer

PATH = "/v1/models/taxi:predict"
ROW = {"fare": 12.5, "trips": 3, "company": "Blue"}
BODY = json.dumps({"instances": [ROW]})
SCORED = (200, {"predictions": [{"logits": 12.5, "scores": 25.0}]})
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n".encode()


class Echo:
    """An app that answers with what it received."""

    def admit(self, path, authorization):
        return True

    def answer(self, request, respond):
        summary = [request.method, request.path, request.body.decode(), request.authorization]
        respond(Answer(401 if request.path == "/secret" else 200, json.dumps(summary).encode()))

    def refuse(self, request, error):
        return Answer(error.status, json.dumps({"error": error.message}).encode())


def ask(connection, body=BODY, method="POST", path=PATH, headers=None):
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    assert response.headers["content-type"].startswith("application/json")
    return response.status, json.loads(response.read())


def connect(port):
    return contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10))


def ask_once(port, *args, **kwargs):
    with connect(port) as connection:
        return ask(connection, *args, **kwargs)


def plug(port):
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def read_all(plugged):
    """Return everything that arrives until the server closes."""
    return b"".join(iter(lambda: plugged.recv(65_536), b""))


def say(port, data):
    """Send bytes and return everything that arrives until the server closes."""
    with plug(port) as plugged:
        plugged.sendall(data)
        return read_all(plugged)


def error_of(raw):
    """Return status and message of an answer that ends its connection."""
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in head
    assert b"\r\nContent-Type: application/json\r\n" in head
    return int(head.split()[1]), json.loads(body)["error"]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
