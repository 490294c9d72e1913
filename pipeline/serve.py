"""`skewless serve`: serves pushed models over HTTP and gRPC, with TensorFlow Serving's API.

Wrong paths and options are reported before anything heavy is imported.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from components import files
from components.serve import config, folders, hosts
from components.serve.config import ModelConfig, Policy
from components.serve.settings import GRPC_PORT, Address, Limits, Settings
from pipeline import serve_logs
from pipeline.sections import Command, option
from pipeline.temporary import own_folder
from schemas.errors import ConfigError
from schemas.secrets import RedactingFormatter

if TYPE_CHECKING:
    from components.serve.server import Options, Ports

TOKEN_VARIABLE = "SKEWLESS_TOKEN"

_POSITIVE = click.IntRange(min=1)
_PORT = click.IntRange(0, 65_535)
_FILE = click.Path(exists=True, dir_okay=False)
_SHORTEST_TOKEN = 16
_REQUESTS_IN_FLIGHT = 8  # of the largest size


class _SecretFile(click.Path):
    """A file that exists; the message about a missing one does not repeat the given path."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail("it names no readable file; a token itself is given in a file.")


_POLL_DISK, _POLL_STORE = 1.0, 10.0  # seconds; listing a store is a request that costs money


_MODELS, _WHERE, _WHO = "What is served", "Where", "Who may ask"
_REQUESTS = "What is taken from a request"
_RECORDS = "What is written down"


@click.command(cls=Command)
@click.argument("run_or_folder", metavar="RUN-OR-FOLDER", required=False)
@option(_MODELS, "--name", help="Name of the model in paths. [default: the run's]")
@option(_MODELS, "--version", type=click.IntRange(0), help="Serve this version and no other.")
@option(
    _MODELS,
    "--versions",
    metavar="POLICY",
    help="Which versions: latest:N, all, or numbers such as 1,3. [default: latest:1]",
)
@option(
    _MODELS,
    "--label",
    "labels",
    multiple=True,
    metavar="LABEL=VERSION",
    help="Another name of a version, for /labels/LABEL; may be repeated.",
)
@option(
    _MODELS,
    "--config",
    "config_file",
    type=_FILE,
    help="TensorFlow Serving's ModelServerConfig, instead of the options above; read again when it"
    " changes, and on SIGHUP.",
)
@option(
    _MODELS,
    "--poll-seconds",
    type=click.FloatRange(min=0),
    help="Interval of looking for new versions; 0 to look on SIGHUP only. [default: 1; 10 in a"
    " store]",
)
@option(_WHERE, "--host", default=Address.host, help="Interface to listen at.")
@option(_WHERE, "--port", type=_PORT, default=Address.port, help="Port of HTTP; 0 for a free one.")
@option(
    _WHERE, "--grpc-port", type=_PORT, default=GRPC_PORT, help="Port of gRPC; 0 for a free one."
)
@option(_WHERE, "--no-grpc", is_flag=True, help="Serve HTTP alone.")
@option(_WHO, "--tls-certificate", type=_FILE, help="PEM file of the certificate chain.")
@option(_WHO, "--tls-key", type=_FILE, help="PEM file of its private key.")
@option(
    _WHO,
    "--token-file",
    type=_SecretFile(exists=True, dir_okay=False),
    help=f"File with the bearer token that requests must show. [or: {TOKEN_VARIABLE} in the"
    " environment]",
)
@option(_WHO, "--insecure", is_flag=True, help="Listen beyond this machine without a token.")
@option(
    _WHO,
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Host name by which HTTP requests may reach this server; .NAME allows all names below it,"
    " * any; may be repeated. [default: any; without a token on this machine, its own names]",
)
@option(
    _REQUESTS,
    "--optional-columns",
    is_flag=True,
    help="Accept rows that omit columns, as missing values; TensorFlow Serving refuses them.",
)
@option(
    _REQUESTS,
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=Settings.seconds,
    help="Seconds after which a request is abandoned.",
)
@option(
    _REQUESTS, "--max-bytes", type=_POSITIVE, default=Address.max_bytes, help="Size of a request."
)
@option(
    _REQUESTS,
    "--max-bytes-in-flight",
    type=_POSITIVE,
    help="Total size of requests without a response yet; more are refused. [default: 8 times"
    " --max-bytes]",
)
@option(
    _REQUESTS, "--max-rows", type=_POSITIVE, default=Settings.max_rows, help="Rows of a request."
)
@option(
    _REQUESTS,
    "--max-waiting",
    type=_POSITIVE,
    default=Limits.requests,
    help="Requests that may wait for a version; more are refused.",
)
@option(
    _RECORDS,
    "--access-log",
    metavar="FILE",
    help="Write a line of JSON for each request; - means standard error.",
)
@option(
    _RECORDS,
    "--request-log",
    metavar="DIR",
    help="Write requests and answers as TFRecords of PredictionLog, for skewless skew.",
)
@option(
    _RECORDS,
    "--request-log-sample",
    type=click.FloatRange(0, 1),
    default=1.0,
    help="Share of the requests to write.",
)
@option(
    _RECORDS,
    "--request-log-max-bytes",
    type=_POSITIVE,
    default=1 << 30,
    help="Total size of the files; the oldest are removed.",
)
def command(run_or_folder: str | None, config_file: str | None, **given: Any) -> None:
    """Serve models over HTTP and gRPC, as TensorFlow Serving does.

    RUN-OR-FOLDER is a run, such as runs/taxi, a folder of numbered versions, or a SavedModel, on a
    disk or in a store. New versions are loaded while the server runs. It stops on SIGTERM or
    Ctrl-C, after it has answered all pending requests.
    """
    import uvloop

    configs = _configs(run_or_folder, config_file, given)
    if given["poll_seconds"] is None:
        stored = any(files.in_store(model.base.path) for model in configs)
        given["poll_seconds"] = _POLL_STORE if stored else _POLL_DISK
    models = [model.base.path for model in configs]
    serve_logs.check_apart(given["access_log"], given["request_log"], models)
    options = _options(config_file, given)
    with own_folder():
        uvloop.run(_serve(configs, options))


def _configs(
    run_or_folder: str | None, config_file: str | None, given: dict[str, Any]
) -> Sequence[ModelConfig]:
    """Return the models to serve."""
    if config_file is not None:
        if run_or_folder is not None or any(
            given[k] not in (None, ()) for k in ("name", "version", "versions", "labels")
        ):
            raise ConfigError(
                "--config replaces the other options for models",
                expected="no RUN-OR-FOLDER, --name, --version, --versions or --label with it",
            )
        from components.serve import config_file as configured  # TensorFlow Serving's messages

        return configured.read(config_file)
    if run_or_folder is None:
        raise ConfigError(
            "there is nothing to serve",
            expected="a run (runs/taxi), a serving folder, a SavedModel, or --config FILE",
        )
    if given["version"] is not None and given["versions"] is not None:
        raise ConfigError("--version and --versions exclude each other")
    policy = Policy() if given["versions"] is None else config.policy_of(given["versions"])
    if given["version"] is not None:
        policy = Policy(specific=frozenset([given["version"]]))
    base = folders.find(run_or_folder)
    name = folders.default_name(run_or_folder) if given["name"] is None else given["name"]
    folders.check_name(name)
    model = ModelConfig(name, base, policy, config.labels_of(given["labels"]))
    config.check(model)
    return [model]


def _options(config_file: str | None, given: dict[str, Any]) -> Options:
    """Return where and how to serve."""
    from components.serve.observers import Observation
    from components.serve.request_log import RequestLogSettings
    from components.serve.server import Options

    if (given["tls_certificate"] is None) != (given["tls_key"] is None):
        raise ConfigError("--tls-certificate and --tls-key need each other")
    token = _token(given["token_file"])
    _check_written(given["access_log"], given["request_log"])
    request_log = None
    if given["request_log"] is not None:
        request_log = RequestLogSettings(
            given["request_log"],
            sample=given["request_log_sample"],
            max_bytes=given["request_log_max_bytes"],
        )
    _check_exposed(given["host"], token is not None, given)
    in_flight = given["max_bytes_in_flight"] or _REQUESTS_IN_FLIGHT * given["max_bytes"]
    if in_flight < given["max_bytes"]:
        raise ConfigError(
            f"--max-bytes-in-flight {in_flight} has no room for a request of --max-bytes"
            f" {given['max_bytes']}",
            expected=f"{given['max_bytes']} or more",
        )
    http = Address(
        host=given["host"],
        port=given["port"],
        max_bytes=given["max_bytes"],
        drain_seconds=given["timeout"],
        certificate=given["tls_certificate"],
        key=given["tls_key"],
        allowed_hosts=_hosts(given["allowed_hosts"], given["host"], token is not None),
    )
    return Options(
        http=http,
        grpc=None if given["no_grpc"] else replace(http, port=given["grpc_port"]),
        settings=Settings(
            seconds=given["timeout"],
            max_rows=given["max_rows"],
            optional_columns=given["optional_columns"],
            queue=Limits(requests=given["max_waiting"]),
            max_bytes_in_flight=in_flight,
            token=token,
        ),
        config_file=config_file,
        poll_seconds=given["poll_seconds"],
        observation=Observation(access_log=given["access_log"], request_log=request_log),
    )


def _check_written(access_log: str | None, request_log: str | None) -> None:
    """Check that logs can be written; a running server goes on without logs it cannot write."""
    for name, path in (("--access-log", access_log), ("--request-log", request_log)):
        if path is not None and files.in_store(path):
            raise ConfigError(
                f"{name} is appended to as requests come, which a store does not support",
                where=path,
                remedy="name a folder on a disk, and copy its finished files to the store",
            )
    if access_log is not None and access_log != "-":
        with _writing("--access-log", access_log), open(access_log, "ab"):
            pass
    if request_log is not None:
        with _writing("--request-log", request_log):
            os.makedirs(request_log, exist_ok=True)
            tempfile.TemporaryFile(dir=request_log).close()


@contextlib.contextmanager
def _writing(option: str, path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{option} cannot be written: {error.strerror}",
            where=path,
            remedy="name another, or check that its folder exists and can be written to",
        ) from error


def _token(path: str | None) -> str | None:
    """Return the token; it is not an option, because lists of processes show options."""
    if path is None:
        token = os.environ.get(TOKEN_VARIABLE)
        if token is None:
            return None
    else:
        try:
            with open(path, encoding="ascii") as file:
                token = file.read().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"the token cannot be read: {error}", where=path) from None
    if len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable():
        raise ConfigError(
            "the token is too easy to guess, or cannot be part of a header",
            where=path or TOKEN_VARIABLE,
            expected=f"at least {_SHORTEST_TOKEN} printable ASCII characters",
            remedy="make one: openssl rand -hex 32 > token",
        )
    return token


def _check_exposed(host: str, token: bool, given: dict[str, Any]) -> None:
    """Check that a server which others can reach is protected, or open on purpose."""
    if _loopback(host):
        return
    if not token and not given["insecure"]:
        raise ConfigError(
            f"anyone who reaches {host} could send requests, and change which versions are served",
            expected="--token-file",
            remedy="or give --insecure, if something in front of the server controls access",
        )
    if token and given["tls_certificate"] is None:
        click.echo("warning: without TLS, anyone on the network path can read the token", err=True)


def _hosts(allowed: Sequence[str], host: str, token: bool) -> tuple[str, ...] | None:
    """Return the hosts that requests may name; None for any.

    Otherwise a server without a token answers any web page whose host name points to this machine.
    """
    for name in allowed:
        hosts.check_allowed(name)
    if allowed:
        return tuple(allowed)
    return hosts.LOCAL if _loopback(host) and not token else None


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _serve(configs: Sequence[ModelConfig], options: Options) -> None:
    from components.serve.server import Server, run

    logger = logging.getLogger("components.serve")
    logger.setLevel(logging.INFO)
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    server = Server(configs, options)

    def ready(ports: Ports) -> None:
        host = f"[{options.http.host}]" if ":" in options.http.host else options.http.host
        scheme = "http" if options.http.certificate is None else "https"
        for name in server.models.configs:
            url = f"{scheme}://{host}:{ports.http}/v1/models/{name}"
            click.echo(f"serving {name} version {server.models.default(name)} at {url}")
        click.echo(f"a form to try it at {scheme}://{host}:{ports.http}/")
        if ports.grpc is not None:
            click.echo(f"gRPC at {host}:{ports.grpc}")

    await run(server, ready, asyncio.Event())
