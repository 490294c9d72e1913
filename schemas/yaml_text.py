"""Parses the text of a pipeline.yaml to plain values, with names and texts as they are written.

YAML reads `no` as a boolean, `010` as 8 and `12:30:00` as 45,000. Here keys are always text, and so
are values that the model declares as text; a value that may be a number or text must clearly be one
of them. Documents that aliases make huge, or that nest too deeply, are refused.
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
PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]*")  # has the same meaning everywhere
_DEEPEST = 50  # levels of nested lists and mappings; pipeline.yaml needs seven
_MOST_REPEATED = 10_000  # values that aliases expand to


class _LimitError(yaml.MarkedYAMLError):
    """Well-formed YAML that is refused."""


@dataclass(frozen=True)
class Document:
    """A parsed YAML file.

    Attributes:
      value: its mappings, lists and scalars.
      node: the same with line numbers.
    """

    value: Any
    node: Any


def read(text: str, path: Path, model: type[pydantic.BaseModel]) -> Document:
    """Read the text of a YAML file.

    Args:
      text: the text of the file.
      path: the path of the file, for errors.
      model: declares which values are text.

    Raises:
      ConfigError: not YAML, a repeated key, nested too deeply, too large by aliases, or a value
        that YAML reads differently from what it looks like.
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
        # PyYAML raises these for invalid dates and numbers: 2001-99-99
        raise ConfigError(f"{path.name} has an invalid value: {error}", where=str(path)) from error


def lines_of(node: Any, section: str) -> dict[str, int]:
    """Return the line of each key of a section, also of those that YAML's `<<` merges."""
    found: dict[str, int] = {}
    todo = [value for key, value in node.value if key.value == section]
    while todo:
        mapping = todo.pop()
        for key, value in mapping.value if isinstance(mapping, yaml.MappingNode) else ():
            found.setdefault(key.value, key.start_mark.line + 1)
            todo += [value] if key.value == "<<" else []
    return found


def line_of(node: Any, keys: tuple[Any, ...]) -> int:
    """Return the line of the deepest existing key on the path; pydantic inserts union members."""
    line = node.start_mark.line + 1
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            for position, (k, v) in enumerate(node.value):
                # `features` is a mapping in YAML, but a tuple once parsed
                if k.value == str(key) or (isinstance(key, int) and position == key):
                    line, node = k.start_mark.line + 1, v
                    break
        elif isinstance(node, yaml.SequenceNode) and key in range(len(node.value)):
            node = node.value[key]
            line = node.start_mark.line + 1
    return line


class _Loader(yaml.SafeLoader):
    """Composes nodes within limits; keys are text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._open = 0  # collections around the current node
        self._written = 0
        self._measures: dict[int, tuple[int, int]] = {}  # size and height by node, with aliases

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        self._open += 1
        self._refuse_deep(self._open, event)
        node = super().compose_node(parent, index)
        self._open -= 1
        if isinstance(event, yaml.AliasEvent):
            if id(node) not in self._measures:
                raise _limit("an alias contains itself", event)
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
            problem = f"aliases (*) expand to more than {_MOST_REPEATED:,} values"
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
    """Refuse repeated keys; PyYAML silently keeps the last one."""
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
                continue  # an unhashable key, which the constructor reports
            line = key.start_mark.line + 1
            if key.value in seen:
                raise ConfigError(
                    f"the key {key.value!r} is given twice, also in line {seen[key.value]}",
                    where=f"{path}:{line}",
                )
            seen[key.value] = line


def _as_written(node: Any, annotation: Any, path: Path) -> Any:
    """Return the node with scalars as text wherever the model's annotation is text."""
    kinds = _kinds(annotation)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, kinds, path)
    for kind in kinds:
        if isinstance(node, yaml.MappingNode) and _is_model(kind):
            node.value = [(k, _as_written(v, _field(kind, k), path)) for k, v in node.value]
        elif isinstance(node, yaml.MappingNode) and typing.get_origin(kind) is dict:
            of_values = typing.get_args(kind)[1]
            node.value = [(k, _as_written(v, of_values, path)) for k, v in node.value]
        elif isinstance(node, yaml.SequenceNode) and typing.get_origin(kind) is tuple:
            node.value = [_as_written(v, typing.get_args(kind)[0], path) for v in node.value]
    return node


def _field(model: type[pydantic.BaseModel], key: Any) -> Any:
    """Return the annotation of a key in a model; None if the key is unknown."""
    if not isinstance(key, yaml.ScalarNode):
        return None
    if key.tag == _MERGE:
        return model
    kind = model.model_fields.get("kind")
    if kind is not None and key.value == kind.default:
        return model  # the short form `KIND: {option: value}`
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
    """Return the members of an annotation, without their constraints."""
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
    """Return PyYAML's error with its place as `where`."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    context = getattr(error, "context", None)
    place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
    if isinstance(error, _LimitError):
        return ConfigError(
            f"{path.name} is refused: {problem}",
            where=place,
            remedy="write it out without them, or correct the brackets and the indentation",
        )
    return ConfigError(
        f"{path.name} is not YAML: {problem}" + (f" ({context})" if context else ""),
        where=place,
        expected="keys with values, in lines with equal indentation, and all brackets closed",
        remedy='write "*" in quotes'
        if context and "alias" in context
        else "correct that line, or the one above it",
    )
