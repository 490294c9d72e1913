"""A whole server with a model that needs no TensorFlow: start, reload, stop."""

import asyncio
import os
import signal
import urllib.error
import urllib.request

import pytest

from components.serve import config_file, descriptors
from components.serve.config import ModelConfig
from components.serve.folders import Base
from components.serve.server import Options, Server, run
from components.serve.settings import Address
from schemas.errors import ModelError

CONFIG = 'model_config_list {{ config {{ name: "{name}" base_path: "{path}" }} }}'


@pytest.fixture
def make_server(serving, model):
    """Create a server with REST only."""

    def make(configs=None, load=lambda path: model, **options):
        if configs is None:
            configs = [ModelConfig("taxi", Base(str(serving)))]
        chosen = Options(http=Address(port=0), grpc=None, **options)
        return Server(configs, chosen, load)

    return make


async def get(ports, path):
    def ask():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{ports.http}{path}") as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    return await asyncio.to_thread(ask)


def test_a_server_is_alive_at_once_and_ready_once_loaded(make_server, model):
    async def main():
        go = asyncio.Event()
        loop = asyncio.get_running_loop()

        def load(path):
            asyncio.run_coroutine_threadsafe(go.wait(), loop).result(10)
            return model

        server = make_server(load=load)
        ports = await server.start()
        before = [(await get(ports, path))[0] for path in ("/healthz", "/readyz")]
        go.set()
        await server.loaded()
        after = [(await get(ports, path))[0] for path in ("/readyz", "/metrics", "/")]
        await server.stop()
        return before, after

    assert asyncio.run(main()) == ([200, 503], [200, 200, 200])
    assert model.closed


def test_answers_say_what_may_be_made_of_them(make_server):
    async def main():
        server = make_server()
        ports = await server.start()
        await server.loaded()

        def ask(path):
            with urllib.request.urlopen(f"http://127.0.0.1:{ports.http}{path}") as response:
                return response.headers

        page, api = [await asyncio.to_thread(ask, path) for path in ("/", "/v1/models/taxi")]
        await server.stop()
        return page, api

    page, api = asyncio.run(main())
    assert page["x-content-type-options"] == api["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in page["content-security-policy"]
    assert "default-src 'none'" in page["content-security-policy"]
    assert api["content-security-policy"] is None


def test_where_few_files_may_be_open_few_connections_are_taken(make_server, monkeypatch, caplog):
    monkeypatch.setattr(descriptors, "raise_limit", lambda: 600)

    async def main():
        server = make_server()
        ports = await server.start()
        await server.loaded()
        plugs = [await asyncio.open_connection("127.0.0.1", ports.http) for _ in range(600 - 128)]
        answer = await get(ports, "/healthz")
        for _, writer in plugs:
            writer.close()
        await server.stop()
        return answer

    assert asyncio.run(main())[0] == 200
    assert "the limit of open files is 600" in caplog.text


def test_a_model_of_which_nothing_loads_ends_the_server(make_server):
    def load(path):
        raise ModelError("the graph is broken", where=path)

    async def main():
        await run(make_server(load=load), lambda ports: None, asyncio.Event())

    with pytest.raises(ModelError, match="no version of model 'taxi' loads: the graph is broken"):
        asyncio.run(main())


def test_signals_reload_and_end_a_server(make_server, serving, tmp_path):
    file = tmp_path / "models.config"
    file.write_text(CONFIG.format(name="taxi", path=serving))
    names = []

    async def main():
        server = make_server(config_file.read(str(file)), config_file=str(file), poll_seconds=0)

        def ready(ports):
            names.append(list(server.models.configs))
            asyncio.get_running_loop().create_task(change(server))

        await run(server, ready, asyncio.Event())

    async def change(server):
        for text in ("no configuration", CONFIG.format(name="tips", path=serving)):
            file.write_text(text)
            os.kill(os.getpid(), signal.SIGHUP)
            while file.read_text() != "no configuration" and "tips" not in server.models.configs:
                await asyncio.sleep(0.001)
            names.append(list(server.models.configs))
        os.kill(os.getpid(), signal.SIGTERM)

    asyncio.run(main())
    assert names == [["taxi"], ["taxi"], ["tips"]]


def test_a_configuration_that_changes_is_read_again(make_server, serving, tmp_path, caplog):
    file = tmp_path / "models.config"
    file.write_text(CONFIG.format(name="taxi", path=serving))

    async def main():
        server = make_server(config_file.read(str(file)), config_file=str(file), poll_seconds=0.001)
        await server.start()
        await server.loaded()
        file.write_text("no configuration")
        while "stay as they were" not in caplog.text:
            await asyncio.sleep(0.001)
        assert server.models.default("taxi") == 3
        file.write_text(CONFIG.format(name="tips", path=serving))
        while "tips" not in server.models.configs or server.models.default("tips") is None:
            await asyncio.sleep(0.001)
        await server.stop()

    asyncio.run(main())


def test_two_servers_of_one_process_do_not_mix(make_server):
    async def main():
        servers = [make_server() for _ in range(2)]
        ports = [await server.start() for server in servers]
        for server in servers:
            await server.loaded()
        await get(ports[0], "/v1/models/taxi")
        texts = [(await get(each, "/metrics"))[1].decode() for each in ports]
        for server in servers:
            await server.stop()
        return ['method="status"' in text for text in texts]

    assert asyncio.run(main()) == [True, False]
