"""The security of a public service: authorization, the reach of requests, and their cost."""

import ast
import asyncio
import json
import sys
from pathlib import Path

import pytest

import components.serve
from components.serve import folders, routes
from components.serve.app import App
from components.serve.failures import RequestError
from components.serve.messages import Answer, Request
from components.serve.settings import Address
from schemas.errors import ConfigError
from tests.unit.components.serve.asking import answered

TOKEN = "0123456789abcdef"
MODEL = "/v1/models/taxi"
SOURCES = sorted(Path(components.serve.__file__).parent.glob("*.py"))

OPEN = {("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/")}
RESOURCES = [
    *(("GET", path) for path in routes._FIXED),
    *(("POST", f"{MODEL}:{method}") for method in sorted(routes.ASKING)),
    *(("GET", f"{MODEL}{rest}") for rest in ("", "/metadata", "/description", "/versions/3")),
    ("GET", "/v1/models/other"),
    ("GET", "/nowhere"),
    ("PUT", MODEL),
]

OPENED: list[str] = []  # while watching; an audit hook cannot be removed
WATCHING = False


def _watch(event, args):
    if WATCHING and event in ("open", "os.listdir", "os.scandir", "import", "subprocess.Popen"):
        OPENED.append(f"{event} {args[0]!r}")


sys.addaudithook(_watch)


@pytest.fixture
def answers(make_service):
    """Answer requests one after the other."""

    def call(requests, **settings):
        async def main():
            service = await make_service(**settings)
            app = App(service, metrics=lambda: b"# metrics", page=lambda: Answer(200, b"<html>"))
            await answered(app, Request("GET", MODEL))  # the first request imports modules
            global WATCHING
            WATCHING = True
            try:
                return [await answered(app, request) for request in requests]
            finally:
                WATCHING = False
                await service.models.close()

        OPENED.clear()
        return asyncio.run(main())

    return call


def test_a_token_is_required_except_at_documented_paths(answers):
    refused = {}
    for authorization in (None, "Bearer x", f"Basic {TOKEN}"):
        requests = [Request(*r, authorization=authorization) for r in RESOURCES]
        for resource, answer in zip(RESOURCES, answers(requests, token=TOKEN), strict=True):
            refused[resource] = answer.status == 401
        assert {resource for resource, is_refused in refused.items() if not is_refused} == OPEN
    shown = [Request(*r, authorization=f"Bearer {TOKEN}") for r in RESOURCES]
    assert 401 not in {answer.status for answer in answers(shown, token=TOKEN)}


def test_no_request_reaches_the_file_system(answers):
    paths = [
        "/../../../../etc/passwd",
        "/v1/models/../../etc/passwd",
        "/v1/models/..:predict",
        "/v1/models/taxi/versions/3/../../../etc/passwd",
        "/v1/models/taxi/labels/..\\..\\x:predict",
        "/v1/models/tax\0i",
        "/page_files/main.js",
        "/saved_model.pb",
        f"{MODEL}/description",
        f"{MODEL}/metadata",
    ]
    row = {"fare": 1.0, "trips": 1, "company": "/etc/passwd"}
    body = json.dumps({"signature_name": "/etc/passwd", "instances": [row]}).encode()
    requests = [Request(method, path, body) for method in ("GET", "POST") for path in paths]
    requests.append(Request("POST", f"{MODEL}:predict", json.dumps({"instances": [row]}).encode()))
    given = answers(requests)
    assert given[-1].status == 200
    assert all(answer.status in (200, 400, 404) for answer in given)
    assert OPENED == []


def test_the_watch_sees_what_is_opened(tmp_path):
    global WATCHING
    OPENED.clear()
    WATCHING = True
    (tmp_path / "x").write_text("")
    WATCHING = False
    assert f"open {str(tmp_path / 'x')!r}" in OPENED


def test_by_default_only_this_machine_is_served():
    assert Address().host == "127.0.0.1"


FORBIDDEN_MODULES = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "subprocess"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_nothing_that_a_request_holds_can_be_run(source):
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            assert not {each.name.split(".")[0] for each in node.names} & FORBIDDEN_MODULES
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in FORBIDDEN_MODULES
        elif isinstance(node, ast.Call):
            function = node.func
            name = getattr(function, "id", None)
            if isinstance(function, ast.Attribute):
                # re.compile is another.
                is_module = isinstance(function.value, ast.Name) and function.value.id == "os"
                name = function.attr if is_module else None
            assert name not in FORBIDDEN_CALLS, f"line {node.lineno}"
            assert "allow_pickle" not in {keyword.arg for keyword in node.keywords}


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a:b", "/etc/passwd"])
def test_a_model_cannot_be_named_like_a_path(name):
    with pytest.raises(ConfigError, match="cannot be named"):
        folders.check_name(name)


def test_no_error_repeats_a_long_request():
    error = RequestError("x" * 1_000_000)
    assert len(error.message) < 11_000
    assert error.message.endswith("…")


def test_long_paths_are_not_kept():
    routes._route.cache_clear()
    for number in range(3):
        with pytest.raises(RequestError) as caught:
            routes.route("POST", f"/v1/models/{'n' * 5_000}{number}:predict")
        assert caught.value.status == 404
    assert routes._route.cache_info().currsize == 0
    assert routes.route("POST", f"{MODEL}:predict").name == "taxi"
    assert routes._route.cache_info().currsize == 1
