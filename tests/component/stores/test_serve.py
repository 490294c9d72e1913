"""Versions in a store are loaded, unloaded and rolled back as on a disk."""

import asyncio
import json
import os

import numpy as np
import pytest

from components import files, store_patience
from components.push.push import push
from components.serve import folders
from components.serve.config import ModelConfig, Policy
from components.serve.settings import Limits
from components.serve.signature import NUMPY_TYPES, STRING
from components.serve.versions import Models
from pipeline.serve import command
from schemas.errors import ConfigError, StoreError
from tests.emulators import in_amazon, in_google

pytestmark = pytest.mark.component

LATEST = Policy()


class Model:
    """A model whose graph is a text, read from its local copy."""

    def __init__(self, folder):
        assert not files.in_store(folder)
        assert files.read_text(os.path.join(folder, "saved_model.pb"))
        self.signatures = {}

    def run(self, signature, inputs):
        return inputs

    def close(self):
        pass


def load(folder):
    return Model(folder)


class Served:
    """The loaded versions of the run in a folder of the store."""

    def __init__(self, run):
        self.config = ModelConfig("taxi", folders.find(run), labels={"stable": 1})
        self.models = Models(load, Limits())

    async def texts(self, policy=LATEST):
        """Look at the store; return the descriptions of the versions that are ready."""
        self.models.configure([ModelConfig("taxi", self.config.base, policy, self.config.labels)])
        await self.models.update()
        return {
            loaded.version: json.loads(loaded.description or b'""') for loaded in self.models.loaded
        }


@pytest.fixture
def push_text(store, tmp_path):
    """Push a version that is a text into the run's folder in the store."""

    def push_text(text):
        files.write_whole(str(tmp_path / text / "saved_model.pb"), text)
        described = {"model.json": json.dumps(text)}
        return push(str(tmp_path / text), f"{store}/taxi/serving", lambda: described)

    return push_text


def test_versions_come_and_are_rolled_back(store, push_text):
    async def main():
        push_text("one")
        served = Served(f"{store}/taxi")
        assert await served.texts() == {1: "one"}
        files.write_whole(f"{store}/taxi/serving/2/variables/variables.index", "not yet whole")
        assert await served.texts() == {1: "one"}
        push_text("two")
        assert await served.texts() == {2: "two"}
        assert served.models.find("taxi").description == b'"two"'
        assert await served.texts(Policy(specific=frozenset([1]))) == {1: "one"}
        assert served.models.find("taxi", label="stable").version == 1
        await served.models.close()

    asyncio.run(main())
    assert folders.default_name(f"{store}/taxi/serving/2") == "taxi"


# the other store's emulator loses its objects
@in_google
def test_a_version_answers_while_its_store_does_not(stores_running, monkeypatch, push_text, store):
    async def main():
        push_text("one")
        served = Served(f"{store}/taxi")
        assert await served.texts() == {1: "one"}
        stores_running.google.stop()
        with pytest.raises(StoreError):
            await served.texts()
        assert served.models.find("taxi").version == 1
        stores_running.google.start()
        push_text("two")
        assert await served.texts() == {2: "two"}
        await served.models.close()

    monkeypatch.setenv(store_patience.VARIABLE, "0")
    asyncio.run(main())


@in_google
def test_a_version_that_could_not_be_fetched_is_tried_again(push_text, store, monkeypatch):
    def away(*_):
        raise StoreError("no answer")

    async def main():
        push_text("one")
        served = Served(f"{store}/taxi")
        with monkeypatch.context() as patch:
            patch.setattr(files, "copy_tree", away)
            assert await served.texts() == {}
        assert served.models.statuses("taxi")[1].error == "no answer"
        assert await served.texts() == {1: "one"}
        await served.models.close()

    asyncio.run(main())


@in_amazon
def test_a_savedmodel_answers_after_its_copy_is_removed(store, exported):
    from components.serve.model import SavedModelBundle

    files.copy_tree(exported.saved_model, f"{store}/model")

    here = SavedModelBundle(exported.saved_model)
    inputs = {
        name: np.full(1, b"x" if spec.dtype == STRING else 1, NUMPY_TYPES[spec.dtype])
        for name, spec in here.signatures["raw_columns"].inputs.items()
    }

    async def ask():
        models = Models(SavedModelBundle, Limits())
        models.configure([ModelConfig("tiny", folders.find(f"{store}/model"))])
        await models.update()
        scores = models.find("tiny")._model.run("raw_columns", inputs)["scores"]
        await models.close()
        return scores

    expected = here.run("raw_columns", inputs)["scores"]
    np.testing.assert_array_equal(asyncio.run(ask()), expected)


@in_google
def test_what_is_not_there(store):
    with pytest.raises(ConfigError, match="there is no folder"):
        folders.find(f"{store}/taxi")
    files.write_whole(f"{store}/runs/taxi/serving/1/saved_model.pb", "")
    with pytest.raises(ConfigError, match="there is no version") as error:
        folders.find(f"{store}/runs")
    assert error.value.remedy == "name a run in it: taxi"


@in_google
def test_logs_of_requests_need_a_disk(store, exported):
    for option in ("--request-log", "--access-log"):
        with pytest.raises(ConfigError, match=f"{option} is appended to as requests come") as error:
            command.main([exported.saved_model, option, f"{store}/log"], standalone_mode=False)
        assert error.value.where == f"{store}/log"
