"""The text of a pipeline.yaml → plain values, with names and texts as they are written.

YAML makes a truth of `no`, 8 of `010` and 45,000 of `12:30:00`. Here keys are text as they stand,
and so are the values that the model wants as text; a value that may be a number or text has to be
plainly one of the two. What grows without measure by aliases, or nests without end, is refused.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic
import yaml

from schemas.errors import ConfigError

_STR, _NULL, _MERGE = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "null", "merge"))
_INT = "tag:yaml.org,2002:int"
PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]*")  # what YAML and everybody else reads alike
_DEEPEST = 50  # lists and mappings within each other; pipeline.yaml needs seven
_MOST_REPEATED = 10_000  # values that aliases stand for


class _LimitError(yaml.MarkedYAMLError):
    """YAML that is well-formed and still not to be read."""


@dataclass(frozen=True)
class Document:
    """A YAML file, read.

    Attributes:
      value: what it holds: mappings, lists and scalars.
      node: the same with its lines.
    """

    value: Any
    node: Any


def read(text: str, path: Path, model: type[pydantic.BaseModel]) -> Document:
    """Read the text of a YAML file.

    Args:
      text: of the file.
      path: of the file, for errors.
      model: says which values are text.

    Raises:
      ConfigError: not YAML, a key given twice, nested too deeply, too large by aliases, or a value
        that YAML reads as something else than it looks like.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return Document(None, None)
        _refuse_duplicate_keys(node, path)
        node = _as_written(node, model, path)
        return Document(loader.construct_document(node), node)
    except yaml.YAMLError as error:
        raise _config_error(error, path) from error
    except (AttributeError, ValueError) as error:
        # PyYAML lets these through for what looks like a date or a number and is none: 2001-99-99
        raise ConfigError(f"{path.name} holds no such value: {error}", where=str(path)) from error


class _Loader(yaml.SafeLoader):
    """Composes nodes within limits; keys are text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._open = 0  # collections around the node that is being composed
        self._written = 0
        self._measures: dict[int, tuple[int, int]] = {}  # by node: size and height, aliases counted

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        self._open += 1
        self._refuse_deep(self._open, event)
        node = super().compose_node(parent, index)
        self._open -= 1
        if isinstance(event, yaml.AliasEvent):
            if id(node) not in self._measures:
                raise _limit("an alias holds itself", event)
            self._refuse_deep(self._open + self._measures[id(node)][1], event)
        else:
            self._measure(node, event)
        is_key = index is None and isinstance(parent, yaml.MappingNode)
        if is_key and isinstance(node, yaml.ScalarNode) and node.tag not in (_MERGE, _STR):
            node = self._measure(_text_node(node), event)
        return node

    def _measure(self, node: Any, event: Any) -> Any:
        self._written += 1
        size, height = 1, 1
        for child in _children(node):
            its_size, its_height = self._measures[id(child)]
            size, height = size + its_size, max(height, 1 + its_height)
        if size - self._written > _MOST_REPEATED:
            problem = f"aliases (*) stand for more than {_MOST_REPEATED:,} values"
            raise _limit(problem, event)
        self._measures[id(node)] = (size, height)
        return node

    def _refuse_deep(self, depth: int, event: Any) -> None:
        if depth > _DEEPEST:
            problem = f"lists and mappings nest more than {_DEEPEST} deep"
            raise _limit(problem, event)


def _limit(problem: str, event: Any) -> _LimitError:
    return _LimitError(None, None, problem, event.start_mark)


def _children(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _text_node(node: Any) -> Any:
    return yaml.ScalarNode(_STR, node.value, node.start_mark, node.end_mark, node.style)


def _refuse_duplicate_keys(node: Any, path: Path) -> None:
    """PyYAML keeps the last of two equal keys and says nothing."""
    todo, done = [node], set()
    while todo:
        each = todo.pop()
        if id(each) in done:
            continue
        done.add(id(each))
        todo += _children(each)
        seen: dict[str, int] = {}
        for key, _ in each.value if isinstance(each, yaml.MappingNode) else ():
            if not isinstance(key, yaml.ScalarNode):
                continue  # not a key that Python can hold, as constructing it will say
            line = key.start_mark.line + 1
            if key.value in seen:
                raise ConfigError(
                    f"the key {key.value!r} is given twice, in line {seen[key.value]} too",
                    where=f"{path}:{line}",
                )
            seen[key.value] = line


def _as_written(node: Any, annotation: Any, path: Path) -> Any:
    """Return the node with scalars as text wherever the model's annotation wants text."""
    kinds = _kinds(annotation)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, kinds, path)
    for kind in kinds:
        if isinstance(node, yaml.MappingNode) and _is_model(kind):
            node.value = [(k, _as_written(v, _field(kind, k), path)) for k, v in node.value]
        elif isinstance(node, yaml.SequenceNode) and typing.get_origin(kind) is tuple:
            node.value = [_as_written(v, typing.get_args(kind)[0], path) for v in node.value]
    return node


def _field(model: type[pydantic.BaseModel], key: Any) -> Any:
    """Return what a model wants under a key; None where it knows no such key."""
    if not isinstance(key, yaml.ScalarNode):
        return None
    if key.tag == _MERGE:
        return model
    field = model.model_fields.get(key.value)
    return None if field is None else field.annotation


def _scalar(node: Any, kinds: tuple[Any, ...], path: Path) -> Any:
    if node.tag == _STR or not any(map(_is_text, kinds)):
        return node
    if int in kinds:
        if node.tag != _INT or not PLAIN_INTEGER.fullmatch(node.value):
            raise ConfigError(
                f"YAML does not read {node.value or 'nothing'} as text",
                where=f"{path}:{node.start_mark.line + 1}",
                expected="text, or a whole number written in decimal",
                remedy=f'put text in quotes: "{node.value}"',
            )
        return node
    if node.tag == _NULL and (node.value == "" or type(None) in kinds):
        return node
    return _text_node(node)


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """Return what an annotation allows, each without its constraints."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _kinds(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return tuple(kind for option in typing.get_args(annotation) for kind in _kinds(option))
    return (annotation,)


def _is_text(kind: Any) -> bool:
    if typing.get_origin(kind) is typing.Literal:
        return all(isinstance(choice, str) for choice in typing.get_args(kind))
    return kind is str


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def _config_error(error: yaml.YAMLError, path: Path) -> ConfigError:
    """Return what PyYAML says, with the place as `where`."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    context = getattr(error, "context", None)
    place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
    if isinstance(error, _LimitError):
        return ConfigError(
            f"{path.name} is not to be read: {problem}",
            where=place,
            remedy="write it out without them, or correct the brackets and the indentation",
        )
    return ConfigError(
        f"{path.name} is not YAML: {problem}" + (f" ({context})" if context else ""),
        where=place,
        expected="keys with values, in lines that are indented alike, with every bracket closed",
        remedy="correct that line, or the one above it",
    )
