"""Versions that appear, disappear and do not load, with models that need no TensorFlow."""

import asyncio
import threading
from dataclasses import replace

import numpy as np
import pytest

from components.evaluate.published import content_digest
from components.serve.config import ModelConfig, Policy
from components.serve.failures import FAILED_PRECONDITION, RequestError
from components.serve.folders import Base
from components.serve.service import Service
from components.serve.settings import Limits, Settings
from components.serve.versions import Models
from schemas.errors import ModelError
from tests.described import described
from tests.unit.components.serve.asking import computed


class Versioned:
    """A model whose answer is the number of its folder."""

    def __init__(self, path, hold=None):
        self.number = int(path.rsplit("/", 1)[1])
        self.signatures = {}
        self.closed = False
        self.hold = hold

    def run(self, signature, inputs):
        if self.hold is not None:
            assert self.hold.wait(10)
        assert not self.closed
        return {"y": np.full(len(inputs["x"]), self.number)}

    def close(self):
        self.closed = True


class House:
    """A serving folder and what is loaded from it; folders named in `broken` do not load."""

    def __init__(self, serving, policy=None, labels=None):
        self.serving = serving
        self.config = ModelConfig("taxi", Base(str(serving)), policy or Policy(), labels or {})
        self.broken = set()
        self.hold = None
        self.made = []
        self.models = Models(self.load, Limits())
        self.models.configure([self.config])

    def load(self, path):
        model = Versioned(path, self.hold)
        self.made.append(model.number)
        if model.number in self.broken:
            raise ModelError("the graph is broken", where=path)
        return model

    def push(self, version):
        folder = self.serving / str(version)
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_bytes(b"graph")

    def remove(self, version):
        (self.serving / str(version) / "saved_model.pb").unlink()
        (self.serving / str(version)).rmdir()

    async def settle(self):
        """Look at the folder, and wait for unloading."""
        await self.models.update()
        await asyncio.gather(*self.models._unloading)

    async def ask(self, version=None, label=None):
        loaded = self.models.find("taxi", version, label)
        loaded.hold()
        try:
            done = await computed(loaded.batcher, "s", {"x": np.zeros(1)}, 1, 10)
        finally:
            loaded.release()
        return int(done.outputs["y"][0])

    def states(self):
        return {v: s.state for v, s in self.models.statuses("taxi").items()}


@pytest.fixture
def house(serving):
    """Run an async test with a house, created with the given options."""

    def run(test, **options):
        async def main():
            house = House(serving, **options)
            try:
                await test(house)
            finally:
                await house.models.close()

        asyncio.run(main())

    return run


def refused(house, *which):
    with pytest.raises(RequestError) as caught:
        house.models.find("taxi", *which)
    return caught.value.status, caught.value.message


def test_a_new_version_takes_the_place_of_the_old(house):
    async def test(h):
        await h.settle()
        assert await h.ask() == 3
        old = h.models.find("taxi")
        h.push(10)
        await h.settle()
        assert await h.ask() == 10
        assert h.states() == {10: "AVAILABLE", 3: "END"}
        assert old._model.closed
        assert refused(h, 3) == (404, "model 'taxi' has no version 3; served: 10")
        await h.settle()
        assert h.made == [3, 10]  # a loaded version is not loaded again

    house(test)


def hold_loading(house, version):
    """Delay the loading of a version; return an event that it sets at the start, and one to set."""
    loading, go = threading.Event(), threading.Event()
    load = house.models._loader._load

    def slow(path):
        if path.endswith(f"/{version}"):
            loading.set()
            assert go.wait(10)
        return load(path)

    house.models._loader._load = slow
    return loading, go


def test_the_old_version_answers_while_the_new_one_is_loaded(house):
    async def test(h):
        await h.settle()
        loading, go = hold_loading(h, 4)
        h.push(4)
        update = asyncio.create_task(h.models.update())
        await asyncio.to_thread(loading.wait, 10)
        assert await h.ask() == 3
        assert h.states() == {4: "LOADING", 3: "AVAILABLE"}
        assert refused(h, 4) == (503, "version 4 of model 'taxi' is still being loaded")
        go.set()
        await update
        assert await h.ask() == 4

    house(test)


def test_a_version_is_unloaded_once_it_has_answered(house):
    async def test(h):
        h.hold = threading.Event()
        await h.settle()
        old = h.models.find("taxi")
        asked = asyncio.create_task(h.ask())
        await asyncio.sleep(0)
        h.push(4)
        await h.models.update()
        assert h.models.default("taxi") == 4
        assert h.states()[3] == "UNLOADING"
        assert not old._model.closed
        h.hold.set()
        assert await asked == 3
        await h.settle()
        assert h.states()[3] == "END"
        assert old._model.closed

    house(test)


def test_a_version_that_does_not_load_is_reported_and_the_old_one_stays(house):
    async def test(h):
        await h.settle()
        h.broken.add(4)
        h.push(4)
        await h.settle()
        assert await h.ask() == 3
        assert h.states() == {4: "END", 3: "AVAILABLE"}
        assert h.models.statuses("taxi")[4].error == "the graph is broken"
        assert refused(h, 4) == (
            503,
            "version 4 of model 'taxi' does not load: the graph is broken",
        )
        await h.settle()
        assert h.made == [3, 4]  # not again while its folder is unchanged
        h.broken.clear()
        (h.serving / "4" / "late").write_bytes(b"x")
        await h.settle()
        assert (await h.ask(), h.states()) == (4, {4: "AVAILABLE", 3: "END"})

    house(test)


def test_a_server_that_starts_with_a_broken_newest_version_serves_the_next(house):
    async def test(h):
        h.push(4)
        h.broken.add(4)
        await h.settle()
        assert (await h.ask(), h.made) == (3, [4, 3])

    house(test)


def test_the_reason_is_reported_if_nothing_loads(house):
    async def test(h):
        assert refused(h) == (503, "model 'taxi' is still being loaded")
        h.broken.add(3)
        await h.settle()
        assert refused(h)[1] == "version 3 of model 'taxi' does not load: the graph is broken"
        assert not h.models.ready

    house(test)


def test_what_vanishes_is_unloaded_but_never_the_last(house):
    async def test(h):
        h.push(4)
        await h.settle()
        assert h.states() == {4: "AVAILABLE", 3: "AVAILABLE"}
        h.remove(4)
        await h.settle()
        assert (await h.ask(), h.states()) == (3, {4: "END", 3: "AVAILABLE"})
        await h.settle()
        assert h.states() == {3: "AVAILABLE"}  # removed versions are forgotten
        h.remove(3)
        await h.settle()
        assert await h.ask() == 3

    house(test, policy=Policy(latest=None))


def test_latest_two_and_labels(house):
    async def test(h):
        h.push(4)
        await h.settle()
        assert [await h.ask(label=label) for label in ("stable", "canary")] == [3, 4]
        h.push(5)
        await h.settle()
        assert h.states() == {5: "AVAILABLE", 4: "AVAILABLE", 3: "END"}
        assert await h.ask(label="canary") == 4
        assert refused(h, None, "stable") == (404, "model 'taxi' has no version 3; served: 4, 5")
        assert refused(h, None, "old")[0] == 400

    house(test, policy=Policy(latest=2), labels={"stable": 3, "canary": 4})


def test_it_is_ready_once_every_label_answers(house):
    async def test(h):
        loading, go = hold_loading(h, 4)
        for version in (4, 5):
            h.push(version)
        update = asyncio.create_task(h.models.update())
        await asyncio.to_thread(loading.wait, 10)
        assert await h.ask() == 5
        assert not h.models.ready
        with pytest.raises(RequestError, match="a label's version is still being loaded"):
            Service(h.models, Settings()).check_ready()
        assert refused(h, None, "stable") == (
            503,
            "version 3 of model 'taxi' is still being loaded",
        )
        assert h.states() == {5: "AVAILABLE", 4: "LOADING", 3: "START"}
        go.set()
        await update
        assert h.models.ready
        assert await h.ask(label="stable") == 3

    house(test, policy=Policy(latest=None), labels={"stable": 3})


def test_it_stays_ready_whatever_becomes_of_a_label(house):
    async def test(h):
        h.push(4)
        h.broken.add(3)
        await h.settle()
        assert h.models.ready
        assert refused(h, None, "stable")[0] == 503
        h.push(5)
        loading, go = hold_loading(h, 5)
        h.models.configure([replace(h.config, labels={"canary": 5})])
        update = asyncio.create_task(h.models.update())
        await asyncio.to_thread(loading.wait, 10)
        assert h.models.ready
        go.set()
        await update
        assert await h.ask(label="canary") == 5

    house(test, policy=Policy(latest=None), labels={"stable": 3})


def test_a_version_is_pinned_and_a_model_is_rolled_back(house):
    async def test(h):
        h.push(4)
        await h.settle()
        assert await h.ask() == 4
        pinned = ModelConfig("taxi", h.config.base, Policy(specific=frozenset({3})), {"stable": 3})
        h.models.configure([pinned])
        assert await h.ask() == 4  # until the other one is loaded
        await h.settle()
        assert (await h.ask(), await h.ask(label="stable")) == (3, 3)
        h.push(5)
        await h.settle()
        assert await h.ask() == 3
        assert h.states() == {4: "END", 3: "AVAILABLE"}
        h.models.configure([h.config])
        await h.settle()
        assert await h.ask() == 5

    house(test)


def test_a_rollback_to_what_does_not_load_changes_nothing(house):
    async def test(h):
        h.push(4)
        await h.settle()
        h.broken.add(3)
        h.models.configure(
            [ModelConfig("taxi", h.config.base, Policy(specific=frozenset({3})), {})]
        )
        await h.settle()
        assert await h.ask() == 4

    house(test)


def pinned(config, *versions, **labels):
    return replace(config, policy=Policy(specific=frozenset(versions)), labels=labels)


def test_a_request_reconfigures_models_at_once(house):
    async def test(h):
        h.push(4)
        await h.settle()
        await h.models.reconfigure([pinned(h.config, 3, 4, stable=3)])
        assert (await h.ask(), await h.ask(label="stable")) == (4, 3)
        await h.models.reconfigure([pinned(h.config, 3)])
        assert await h.ask() == 3
        assert refused(h, None, "stable")[0] == 400

    house(test)


def test_a_request_that_is_refused_reconfigures_nothing(house, caplog):
    async def test(h):
        tips = ModelConfig("tips", h.config.base)
        h.models.configure([h.config, tips])
        for version in (4, 5):
            h.push(version)
        await h.models.reconfigure([pinned(h.config, 5)])
        before, made = h.states(), len(h.made)
        h.broken.add(3)
        with pytest.raises(RequestError, match="does not load: the graph is broken") as caught:
            # The first model could be changed, and so could the second one's version 4.
            await h.models.reconfigure([pinned(h.config, 4, stable=4), pinned(tips, 4, 3)])
        assert caught.value.code == FAILED_PRECONDITION
        assert len(h.made) > made
        await asyncio.gather(*h.models._unloading)
        assert h.models.configs == {"taxi": pinned(h.config, 5), "tips": tips}
        assert (await h.ask(), h.states()) == (5, before)
        assert refused(h, 4) == (404, "model 'taxi' has no version 4; served: 5")
        assert refused(h, None, "stable")[0] == 400
        await h.settle()
        assert (await h.ask(), h.states()) == (5, before)

    house(test)


def test_what_a_request_loads_answers_nobody_until_all_is_there(house):
    async def test(h):
        await h.settle()
        for version in (4, 5):
            h.push(version)
        loading, go = hold_loading(h, 4)
        reconfiguring = asyncio.create_task(h.models.reconfigure([pinned(h.config, 4, 5)]))
        assert await asyncio.to_thread(loading.wait, 10)  # 5 is loaded
        assert (await h.ask(), refused(h, 5)[0]) == (3, 404)
        go.set()
        await reconfiguring
        assert (await h.ask(4), await h.ask()) == (4, 5)

    house(test)


def test_a_model_that_is_taken_off_meanwhile_is_not_reconfigured(house):
    async def test(h):
        await h.settle()
        h.push(4)
        loading, go = hold_loading(h, 4)
        reconfiguring = asyncio.create_task(h.models.reconfigure([pinned(h.config, 4)]))
        assert await asyncio.to_thread(loading.wait, 10)
        h.models.configure([ModelConfig("tips", h.config.base)])
        go.set()
        with pytest.raises(RequestError, match="just been replaced"):
            await reconfiguring
        await h.settle()
        assert list(h.models.configs) == ["tips"]

    house(test)


def test_a_model_that_is_taken_off_the_list_is_unloaded(house, tmp_path):
    async def test(h):
        await h.settle()
        old = h.models.find("taxi")
        h.models.configure([ModelConfig("tips", h.config.base)])
        with pytest.raises(RequestError, match="no model 'taxi'; served: 'tips'"):
            h.models.find("taxi")
        await h.settle()
        assert old._model.closed
        assert h.models.find("tips").version == 3

    house(test)


def test_a_half_written_version_is_skipped(house):
    async def test(h):
        (h.serving / "4" / "variables").mkdir(parents=True)
        await h.settle()
        assert (await h.ask(), h.states()) == (3, {3: "AVAILABLE"})

    house(test)


def test_a_version_replaced_in_place_is_not_loaded_again(house):
    async def test(h):
        await h.settle()
        (h.serving / "3" / "saved_model.pb").write_bytes(b"another graph")
        await h.settle()
        assert h.made == [3]

    house(test)


def test_a_version_that_is_not_what_was_pushed_does_not_answer_until_it_is(house):
    async def test(h):
        h.push(10)
        folder = h.serving / "10"
        description = described(digests={"saved_model": content_digest(str(folder))})
        (folder / "model.json").write_text(description.model_dump_json())
        (folder / "saved_model.pb").write_bytes(b"")
        await h.settle()
        assert await h.ask() == 3
        status, message = refused(h, 10)
        assert status == 503
        assert "the SavedModel is not the one that was pushed: its SHA-256 is" in message
        (folder / "saved_model.pb").write_bytes(b"graph")
        await h.settle()
        assert await h.ask() == 10

    house(test)
