"""Makes the documentation's site: `make docs` writes it to build/site.

Copies the pages of README.md and docs/, and generates the reference: of pipeline.yaml from the
classes of its options, of the commands from their help, of the Python interface from docstrings.
Zensical renders them; it opens no connection, and neither does the site.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import io
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tokenize
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import click
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import skewless
from pipeline.cli import COMMANDS, EXIT_CODES
from schemas import sources, splits, tasks, treatments
from schemas.features import Feature
from schemas.spec import Spec
from schemas.strict import Strict

ROOT = Path(__file__).resolve().parents[1]
PAGES, SITE = ROOT / "build/docs", ROOT / "build/site"
_CONFIGURATION = "zensical.toml"
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
_LOADED = re.compile(
    r"""<(?:script|link rel="stylesheet"|img)[^>]*(?:src|href)="(https?://[^"]*)"""
)
_FENCE = re.compile(r"^(```\w+) .*$", re.MULTILINE)
_EXAMPLE = re.compile(r"^>>> .*\n(?:.+\n)*", re.MULTILINE)
_PLAIN: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    type(None): "nothing",
    Any: "any value",
}
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
# The kinds of each section that has several.
_KINDS: dict[str, tuple[type[Strict], ...]] = {
    "source": sources.KINDS,
    "splits": splits.KINDS,
    "label": tasks.KINDS,
    "features": treatments.KINDS,
    "combinations": treatments.COMBINATIONS,
}


def main() -> None:
    """Write the pages and render them.

    Raises:
      subprocess.CalledProcessError: Zensical found a link that leads nowhere, or another fault.
      RuntimeError: a page loads something from elsewhere.
    """
    shutil.rmtree(PAGES, ignore_errors=True)
    for path, text in pages():
        target = PAGES / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "docs/images", PAGES / "images")
    zensical = os.path.join(os.path.dirname(sys.executable), "zensical")
    command = [zensical, "build", "--clean", "--strict", "--config-file", _CONFIGURATION]
    subprocess.run(command, cwd=ROOT, check=True)
    for page in SITE.rglob("*.html"):
        if (loaded := _LOADED.search(page.read_text(encoding="utf-8"))) is not None:
            raise RuntimeError(f"{page} would load {loaded[1]}: the site needs no connection")
    print(f"read it: python -m http.server -d {SITE.relative_to(ROOT)}")


def pages() -> Iterator[tuple[str, str]]:
    """Yield the path and the Markdown of each page."""
    yield "index.md", _page(ROOT / "README.md", "index.md")
    yield "changelog.md", _page(ROOT / "CHANGELOG.md", "changelog.md")
    for source in sorted((ROOT / "docs").rglob("*.md")):
        path = str(source.relative_to(ROOT / "docs"))
        yield path, _page(source, path)
    for source in sorted((ROOT / "docs/notebooks").glob("*.ipynb")):
        yield f"notebooks/{source.stem}.md", notebook(source.read_text(encoding="utf-8"))
    yield "reference/pipeline-yaml.md", "\n".join(pipeline_reference())
    yield "reference/commands.md", "\n".join(command_reference())
    yield "reference/python.md", "\n".join(python_reference())


def _page(source: Path, path: str) -> str:
    """Return a page with its links as they are in the site; a file outside it is named."""
    folder = os.path.dirname(path)

    def moved(match: re.Match[str]) -> str:
        mark, text, link = match.groups()
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link) or not target:
            return match[0]
        named = (source.parent / target).resolve().relative_to(ROOT)
        site = {"README.md": "index.md", "CHANGELOG.md": "changelog.md"}.get(str(named))
        if site is None and named.parts[0] == "docs":
            site = str(named.relative_to("docs")).replace(".ipynb", ".md")
        if site is None or not site.endswith((".md", ".png", ".webp", ".svg")):
            return text if text.strip("`") == str(named) else f"{text} (`{named}`)"
        there = os.path.relpath(site, folder or ".")
        return f"{mark}[{text}]({there}{'#' if anchor else ''}{anchor})"

    # What follows the language says to the tests how to run a block.
    return _FENCE.sub(r"\1", _LINK.sub(moved, source.read_text(encoding="utf-8")))


def notebook(text: str) -> str:
    """Return a notebook as Markdown, without outputs."""
    parts = []
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
    return "\n\n".join(parts) + "\n"


def pipeline_reference() -> Iterator[str]:
    """Yield the lines of the reference of pipeline.yaml."""
    yield "# pipeline.yaml"
    yield ""
    yield "Every section and key, from the classes that read the file. A key without a default is"
    yield "needed. [Your own data](../own-data.md) explains how they work together."
    nested: dict[type[Strict], None] = {}
    for name, field in Spec.model_fields.items():
        yield f"\n## {name}\n"
        kinds = _KINDS.get(name)
        if kinds is None:
            found = list(_classes(field.annotation))
            if not found:
                yield f"{_words(field.annotation).capitalize()}."
            for cls in found:
                yield from _options(cls, nested, heading=None)
            continue
        if name == "features":
            yield _summary(Feature)
            yield ""
        for kind in kinds:
            yield from _options(kind, nested, heading=f"### {_name_of(kind)}")
    done: set[type[Strict]] = set()
    yield "\n## Values with keys of their own"
    while left := [cls for cls in nested if cls not in done]:
        for cls in left:
            done.add(cls)
            yield from _options(cls, nested, heading=f"### {cls.__name__}")
    yield ""


def _name_of(kind: type[Strict]) -> str:
    """Return the name of a kind in pipeline.yaml."""
    for key in ("kind", "format", "by", "task"):
        field = kind.model_fields.get(key)
        if field is not None and get_origin(field.annotation) is Literal:
            return " · ".join(str(each) for each in get_args(field.annotation))
    return kind.__name__


def _options(
    cls: type[Strict], nested: dict[type[Strict], None], *, heading: str | None
) -> Iterator[str]:
    """Yield a class's description and a table of its keys; collect the classes of their values."""
    if heading is not None:
        yield f"\n{heading}\n"
    described, _ = _docstring(cls)
    yield from (described, "")
    meanings: dict[str, str] = {}
    for base in reversed([each for each in cls.__mro__ if each.__module__.startswith("schemas.")]):
        meanings |= _comments(base) | _docstring(base)[1]
    fields = {n: f for n, f in cls.model_fields.items() if not _is_tag(n, f)}
    if not fields:
        return
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in fields.items():
        nested.update(dict.fromkeys(_classes(field.annotation)))
        cells = (_value(field), _default(field), meanings.get(name, ""))
        yield f"| `{name}` | {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _is_tag(name: str, field: FieldInfo) -> bool:
    return name == "kind" and get_origin(field.annotation) is Literal and not field.is_required()


def _classes(annotation: Any) -> Iterator[type[Strict]]:
    """Yield the classes of options in a type."""
    if inspect.isclass(annotation) and issubclass(annotation, Strict):
        yield annotation
    for argument in get_args(annotation):
        yield from _classes(argument)


def _value(field: FieldInfo) -> str:
    bounds = [
        f"{sign} {getattr(each, name):g}"
        for each in field.metadata
        for name, sign in _BOUNDS.items()
        if getattr(each, name, None) is not None
    ]
    return ", ".join([_words(field.annotation), *bounds])


def _words(annotation: Any) -> str:
    """Return a type in words.

    >>> _words(tuple[int, ...]), _words(Literal["a", "b"]), _words(float | None)
    ('a list: a whole number', '`a` or `b`', 'a number')
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if origin is typing.Annotated:
        return _words(arguments[0])
    if origin is Literal:
        return " or ".join(f"`{_yaml(each)}`" for each in arguments)
    if origin in (Union, types.UnionType):
        words = [_words(each) for each in arguments if each is not type(None)]
        return " or ".join(dict.fromkeys(words))
    if origin in (tuple, list, frozenset):
        held = [each for each in arguments if each is not Ellipsis]
        return f"a list: {', '.join(map(_words, held))}"
    if origin in (dict, Mapping):
        return f"keys, each with {_words(arguments[1])}"
    if inspect.isclass(annotation) and issubclass(annotation, Strict):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return f"`{getattr(annotation, '__name__', annotation)}`"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value = field.default
    if value is PydanticUndefined:
        value = field.default_factory() if field.default_factory else None  # type: ignore[call-arg]
    if isinstance(value, Strict) or dataclasses.is_dataclass(value) or value is None:
        return "none" if value is None else "its defaults"
    return f"`{_yaml(value)}`"


def _yaml(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, default=str)


def _docstring(cls: type) -> tuple[str, dict[str, str]]:
    """Return a class's description, and the meaning of each attribute."""
    text, _, attributes = inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")
    meanings: dict[str, str] = {}
    name = None
    for line in textwrap.dedent(attributes).splitlines():
        if (start := re.match(r"(\w+): (.*)", line)) is not None:
            name = start[1]
            meanings[name] = start[2]
        elif name is not None and line.startswith(" "):
            meanings[name] += f" {line.strip()}"
        else:
            name = None
    return text.strip(), meanings


def _summary(cls: type) -> str:
    return _docstring(cls)[0]


def _comments(cls: type) -> dict[str, str]:
    """Return the comment beside or above each field of a class, by name."""
    source = textwrap.dedent(inspect.getsource(cls))
    above: list[str] = []
    found: dict[str, str] = {}
    name = None
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and "noqa" not in token.string:
            text = token.string.lstrip("# ")
            if token.line.lstrip().startswith("#"):
                above.append(text)
            elif name is not None:
                found[name] = text
        elif token.type == tokenize.NAME and token.start[1] == 4:
            name = token.string
            if above:
                found[name] = " ".join(above)
            above = []
    return {key: f"{text[:1].upper()}{text[1:]}." for key, text in found.items()}


def command_reference() -> Iterator[str]:
    """Yield the lines of the reference of the commands."""
    yield "# Commands"
    yield ""
    yield "`skewless COMMAND --help` shows the same."
    for name, (module, _) in COMMANDS.items():
        command: click.Command = importlib.import_module(module).command
        parts = command.commands if isinstance(command, click.Group) else {}
        yield from _command(f"skewless {name}", command, "##")
        for part, nested in parts.items():
            yield from _command(f"skewless {name} {part}", nested, "###")
    yield "\n## Exit codes\n"
    yield "| code | meaning |"
    yield "|---|---|"
    for code, meaning in EXIT_CODES.items():
        yield f"| {code} | {meaning} |"
    yield ""


def _command(name: str, command: click.Command, heading: str) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"\n{heading} {name}\n"
    yield f"```text\n{name} {usage}\n```\n"
    yield from (inspect.cleandoc(command.help or ""), "")
    options = [
        record
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option)
        and (record := parameter.get_help_record(context)) is not None
    ]
    if options:
        yield "| option | meaning |"
        yield "|---|---|"
        for option, meaning in options:
            yield f"| `{option}` | {meaning.replace('|', chr(92) + '|')} |"


def python_reference() -> Iterator[str]:
    """Yield the lines of the reference of the package `skewless`."""
    yield "# Python"
    yield ""
    yield inspect.cleandoc(skewless.__doc__ or "")
    for name in sorted(skewless.__all__, key=lambda name: (name.endswith("Error"), name.lower())):
        value = getattr(skewless, name)
        yield f"\n## {name}\n"
        yield from _documented(name, value)
        if not inspect.isclass(value) or issubclass(value, Exception):
            continue
        for member, each in vars(value).items():
            target = each.fget if isinstance(each, property) else each
            target = getattr(target, "__func__", target)
            if member.startswith("_") or not inspect.isfunction(target):
                continue
            yield f"\n### {name}.{member}\n"
            yield from _documented(f"{name}.{member}", target, is_property=target is not each)
    yield ""


def _documented(name: str, value: Any, *, is_property: bool = False) -> Iterator[str]:
    if callable(value) and not is_property and not _is_error(value):
        try:
            shown = str(inspect.signature(value))
        except ValueError:
            shown = "(...)"
        yield f"```python\n{name}{shown}\n```\n"
    doc = inspect.getdoc(value) or ""
    doc = _EXAMPLE.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", doc)
    doc = doc.replace("  # doctest: +SKIP", "")
    for section in ("Args", "Attributes", "Returns", "Raises", "Yields"):
        doc = re.sub(rf"^{section}:$", f"**{section}**\n", doc, flags=re.MULTILINE)
    yield re.sub(r"^  (\w+): ", r"- `\1`: ", doc, flags=re.MULTILINE)


def _is_error(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, Exception)


if __name__ == "__main__":
    main()
