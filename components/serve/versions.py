"""The versions in memory: which are loaded, which answers what, and how they come and go.

Goes in: a `ModelConfig` a model. Comes out: `find`, which gives the version that answers a request.
Promised: a new version is loaded in a thread while the old one answers, and takes its place between
two requests; a version is let go once all it was asked is answered; one that does not load, or does
not hold what was pushed, is told of, tried again when its folder changes, and the next older one
answers instead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.serve import folders
from components.serve.config import ModelConfig
from components.serve.failures import (
    FAILED_PRECONDITION,
    NOT_FOUND,
    UNAVAILABLE,
    RequestError,
)
from components.serve.folders import Stamp
from components.serve.json_text import excerpt
from components.serve.loaded import Loaded, Loader, Model, OnBatch
from components.serve.settings import Limits
from schemas.errors import SkewlessError, StoreError

# The states of TensorFlow Serving's ModelVersionStatus, by their numbers in its proto.
START, LOADING, AVAILABLE, UNLOADING, END = "START", "LOADING", "AVAILABLE", "UNLOADING", "END"

_logger = logging.getLogger(__name__)


@dataclass
class Status:
    """What became of a version.

    Attributes:
      state: one of the constants above.
      error: why it does not load; empty if nothing is wrong.
      stamp: of the folder that did not load.
    """

    state: str
    error: str = ""
    stamp: Stamp | None = None


@dataclass
class _Served:
    """A model: what is wanted of it, and what is there; `default` is the newest of these.

    `settled` tells whether all that is wanted has been loaded, or tried, once.
    """

    config: ModelConfig
    loaded: dict[int, Loaded] = field(default_factory=dict)
    statuses: dict[int, Status] = field(default_factory=dict)
    default: Loaded | None = None
    settled: bool = False

    @property
    def ready(self) -> bool:
        """Whether it answers, under its labels, too, unless their versions do not load."""
        labelled = self.config.labels.values()
        return self.default is not None and (
            self.settled or all(version in self.loaded for version in labelled)
        )

    def choose_default(self) -> None:
        """Let the newest version answer from now on."""
        self.default = self.loaded[max(self.loaded)] if self.loaded else None


class Models:
    """All models that are served; use it from one event loop.

    Args:
      load: returns the model in a folder; called in a thread.
      limits: of each version's queue.
      on_batch: told of every batch that was computed.
    """

    def __init__(
        self, load: Callable[[str], Model], limits: Limits, on_batch: OnBatch | None = None
    ) -> None:
        self._loader = Loader(load, limits, on_batch)
        self._models: dict[str, _Served] = {}
        self._changing = asyncio.Lock()
        self._unloading: set[asyncio.Task[None]] = set()

    @property
    def configs(self) -> dict[str, ModelConfig]:
        """How each model is served, by name."""
        return {name: model.config for name, model in self._models.items()}

    @property
    def loaded(self) -> list[Loaded]:
        """Every version that answers."""
        return [version for model in self._models.values() for version in model.loaded.values()]

    @property
    def ready(self) -> bool:
        """Whether every model answers, from its start on under its labels, too.

        A label that is given later, or whose version does not load, takes no server that answers
        out of service.
        """
        return bool(self._models) and all(model.ready for model in self._models.values())

    def configure(self, configs: Sequence[ModelConfig]) -> None:
        """Serve these models and no others, from the next `update` on."""
        old, self._models = self._models, {}
        for config in configs:
            model = old.pop(config.name, None)
            if model is not None and model.config.base == config.base:
                model.config = config
            else:
                if model is not None:
                    self._let_go(model, model.loaded)
                model = _Served(config)
            self._models[config.name] = model
        for model in old.values():
            self._let_go(model, model.loaded)

    async def reconfigure(self, configs: Sequence[ModelConfig]) -> None:
        """Give models that are served other policies and labels: all of them, or none.

        What they choose is loaded first, and answers nobody until all of it is there.

        Raises:
          RequestError: a version that is chosen is not there or does not load.
        """
        async with self._changing:
            models = {config.name: self._model(config.name) for config in configs}
            staged: list[tuple[_Served, Loaded]] = []
            try:
                for config in configs:
                    staged += await self._stage(models[config.name], config)
                if any(self._models.get(name) is not model for name, model in models.items()):
                    raise RequestError("the models have just been replaced", UNAVAILABLE)
            except BaseException:
                for _, loaded in staged:
                    self._unload_later(loaded.unload())
                raise
            for model, loaded in staged:
                self._adopt(model, loaded)
            for config in configs:
                models[config.name].config = config
            for model in models.values():
                await self._update(model)

    async def _stage(self, model: _Served, config: ModelConfig) -> list[tuple[_Served, Loaded]]:
        """Load what a configuration chooses and is not loaded yet: all of it, or none."""
        staged: list[tuple[_Served, Loaded]] = []
        try:
            available = await asyncio.to_thread(config.base.versions)
            for version in config.policy.chosen(available):
                if version not in model.loaded:
                    loaded = await self._loader.load(config.name, version, available[version])
                    staged.append((model, loaded))
        except Exception as error:
            for _, loaded in staged:
                self._unload_later(loaded.unload())
            what = error.what if isinstance(error, SkewlessError) else repr(error)
            _logger.exception("model %r is not reconfigured", config.name)
            raise RequestError(
                f"a version of model {config.name!r} does not load: {what}; nothing is changed",
                code=FAILED_PRECONDITION,
            ) from None
        return staged

    async def update(self) -> None:
        """Look at the folders; load what is wanted and not there, let go of what is not wanted."""
        async with self._changing:
            for model in list(self._models.values()):
                await self._update(model)

    def find(self, name: str, version: int | None = None, label: str | None = None) -> Loaded:
        """Return the version that answers a request.

        Args:
          name: of the model.
          version: which one, by number; None for the default.
          label: which one, by label.

        Raises:
          RequestError: it is not there, or not yet.
        """
        model = self._models.get(name) or self._model(name)
        if label is not None:
            version = self._labelled(model, label)
        loaded = model.default if version is None else model.loaded.get(version)
        if loaded is None:
            raise _not_loaded(model, version)
        return loaded

    def statuses(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> dict[int, Status]:
        """Return what became of a model's versions, the newest first.

        Raises:
          RequestError: there is no such model or version.
        """
        model = self._model(name)
        if label is not None:
            version = self._labelled(model, label)
        if version is None:
            return dict(sorted(model.statuses.items(), reverse=True))
        if version not in model.statuses:
            raise _no_version(model, version)
        return {version: model.statuses[version]}

    def default(self, name: str) -> int | None:
        """Return the version that answers requests which name none."""
        default = self._model(name).default
        return None if default is None else default.version

    async def close(self) -> None:
        """Let go of everything, once it has answered."""
        self._loader.close()
        self.configure(())
        await asyncio.gather(*self._unloading)

    async def _update(self, model: _Served) -> None:
        available = await asyncio.to_thread(model.config.base.versions)
        policy = model.config.policy
        for version in policy.chosen(available):
            model.statuses.setdefault(version, Status(START))
        answering: set[int] = set()
        for version in policy.candidates(available):
            # One that does not load leaves its place to the next older one.
            if len(answering) != policy.most and await self._there(
                model, version, available[version]
            ):
                answering.add(version)
        # The last one is kept, whatever happened to its folder or to those that should follow it.
        keep = answering or {max(model.loaded, default=0)}
        self._let_go(model, model.loaded.keys() - keep)
        for version in model.statuses.keys() - available.keys() - model.loaded.keys():
            if model.statuses[version].state == END:
                del model.statuses[version]
        model.settled = True

    async def _there(self, model: _Served, version: int, path: str) -> bool:
        """Load a version that is not there; return whether it is there now."""
        if version in model.loaded:
            return True
        stamp = await asyncio.to_thread(folders.stamp, path)
        before = model.statuses.get(version)
        if before is not None and before.error and before.stamp == stamp:
            return False  # it is the very folder that did not load before
        model.statuses[version] = Status(LOADING)
        name = model.config.name
        try:
            loaded = await self._loader.load(name, version, path)
        except SkewlessError as error:
            # a store that did not answer may do so the next time, though nothing changed there
            lasting = None if isinstance(error, StoreError) else stamp
            model.statuses[version] = Status(END, error.what, lasting)
            _logger.error("version %d of model %r does not load: %s", version, name, error)
            return False
        except Exception as error:
            model.statuses[version] = Status(END, repr(error), stamp)
            _logger.exception("version %d of model %r does not load", version, name)
            return False
        if self._models.get(name) is not model:  # it was taken off the list meanwhile
            self._unload_later(loaded.unload())
            return False
        self._adopt(model, loaded)
        return True

    def _adopt(self, model: _Served, loaded: Loaded) -> None:
        """Have a version answer that is loaded."""
        model.loaded[loaded.version] = loaded
        model.statuses[loaded.version] = Status(AVAILABLE)
        model.choose_default()
        _logger.info("version %d of model %r answers", loaded.version, loaded.name)

    def _let_go(self, model: _Served, versions: Collection[int]) -> None:
        for version in list(versions):
            loaded = model.loaded.pop(version)
            model.statuses[version] = Status(UNLOADING)
            self._unload_later(self._unload(model, loaded))
        model.choose_default()

    def _unload_later(self, unloading: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(unloading)
        self._unloading.add(task)
        task.add_done_callback(self._unloading.discard)

    async def _unload(self, model: _Served, loaded: Loaded) -> None:
        await loaded.unload()
        if loaded.version not in model.loaded:  # or it was wanted again meanwhile
            model.statuses[loaded.version] = Status(END)
        _logger.info("version %d of model %r is unloaded", loaded.version, loaded.name)

    def _model(self, name: str) -> _Served:
        if name not in self._models:
            known = ", ".join(map(repr, sorted(self._models))) or "none"
            raise RequestError(f"there is no model {excerpt(name)}; served: {known}", NOT_FOUND)
        return self._models[name]

    def _labelled(self, model: _Served, label: str) -> int:
        if label not in model.config.labels:
            known = ", ".join(map(repr, sorted(model.config.labels))) or "none"
            raise RequestError(
                f"unrecognized servable version label: {excerpt(label)}; the labels are: {known}"
            )
        return model.config.labels[label]


def _not_loaded(model: _Served, version: int | None) -> RequestError:
    asked = max(model.statuses, default=None) if version is None else version
    status = None if asked is None else model.statuses.get(asked)
    what = f"model {model.config.name!r}"
    if status is not None and status.error:
        return RequestError(f"version {asked} of {what} does not load: {status.error}", UNAVAILABLE)
    if version is None:
        return RequestError(f"{what} is still being loaded", UNAVAILABLE)
    if status is not None and status.state in (START, LOADING):
        return RequestError(f"version {version} of {what} is still being loaded", UNAVAILABLE)
    return _no_version(model, version)


def _no_version(model: _Served, version: int) -> RequestError:
    served = ", ".join(map(str, sorted(model.loaded))) or "none"
    message = f"model {model.config.name!r} has no version {version}; served: {served}"
    return RequestError(message, NOT_FOUND)
