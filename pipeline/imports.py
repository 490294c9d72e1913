"""What a function reaches by imports, our modules and libraries: read from code, never imported."""

from __future__ import annotations

import ast
import functools
import hashlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.distributions import installed, is_there
from schemas.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("components", "schemas")

_DOTTED = re.compile(rf"({'|'.join(PACKAGES)})(\.\w+)+")


@dataclass(frozen=True)
class _Import:
    """One imported name.

    Attributes:
      module: that it is imported from.
      name: of it; empty where the module itself is imported.
      bound: what it is called where it is imported.
      needed: whether the importing module cannot be imported without it: the import stands at its
        top, outside of any block.
    """

    module: str
    name: str
    bound: str
    needed: bool = False

    @property
    def whole(self) -> str:
        """The dotted name, of a module or of something in one."""
        return f"{self.module}.{self.name}" if self.name else self.module


@dataclass(frozen=True)
class Reach:
    """What a function can reach by imports.

    Attributes:
      statements: its own, and those of its module that bind a name that it uses.
      modules: ours, each with the digest of its code without layout and comments.
      distributions: those that have the other modules, without Python's own.
      absent: modules that are not installed, and that only functions and conditions import.
    """

    statements: tuple[ast.stmt, ...]
    modules: Mapping[str, str]
    distributions: frozenset[str]
    absent: frozenset[str]


def reach(
    module: str,
    function: str,
    *,
    kinds: Mapping[str, Sequence[str]] | None = None,
    root: Path = ROOT,
) -> Reach:
    """Return what `function` of `module` can reach by imports.

    That is the function itself with the names of its module that it uses, and every module that
    those import, directly or not. Imports for the type checker do not count.

    A package that lists kinds to choose from, in a tuple `KINDS`, does not count either, nor do the
    kinds that it imports.

    Args:
      module: of the function.
      function: its name.
      kinds: the modules of the kinds chosen, by the module that finds them by their names: they
        belong to it.
      root: the folder of our packages.

    Raises:
      ValueError: the module has no such function.
      ConfigError: a library belongs to no installed distribution.
    """
    statements = tuple(_used_definitions(_module(module, root).tree, module, function))
    modules: dict[str, str] = {}
    others: dict[_Import, str] = {}
    seen: set[str] = set()
    is_module = functools.cache(lambda name: _file_of(name, root).is_file())
    todo = [(module, item) for node in statements for item in _imports(node)]
    while todo:
        importer, item = todo.pop()
        if item.module.partition(".")[0] not in PACKAGES:
            others.setdefault(item, importer)
            continue
        if item.whole in seen:
            continue
        seen.add(item.whole)
        for name in _modules_run_by(item, is_module) - modules.keys():
            read = _module(name, root)
            if not read.lists_kinds:
                modules[name] = read.content
                todo += [(name, other) for other in read.imports]
                todo += [(name, _Import(kind, "", "")) for kind in (kinds or {}).get(name, ())]
    distributions, absent = _libraries(others)
    return Reach(statements, modules, distributions, absent)


def _libraries(importers: Mapping[_Import, str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the distributions of imported modules that are not ours, and the modules of none.

    Args:
      importers: the module that imports each.
    """
    found: set[str] = set()
    absent: set[str] = set()
    for item, importer in importers.items():
        if item.module.partition(".")[0] in sys.stdlib_module_names:
            continue
        if owners := installed().owners(item.whole):
            found |= owners
        elif item.needed or is_there(item.whole):
            raise ConfigError(
                f"{importer} imports {item.module}, which belongs to no installed distribution",
                expected="libraries whose versions are known, for a changed one runs stages again",
                remedy=f"install the distribution that has {item.module}",
            )
        else:
            absent.add(item.module)
    return frozenset(found), frozenset(absent)


def libraries_of(text: str, path: str) -> frozenset[str]:
    """Return the distributions that a user's file of Python imports; it imports no module of ours.

    Raises:
      ConfigError: a module at the top of the file belongs to no installed distribution.
    """
    try:
        found = list(_imports(ast.parse(text)))
    except ValueError as error:  # a relative import
        raise ConfigError(str(error), where=path, expected="installed libraries") from error
    distributions, _ = _libraries(dict.fromkeys(found, path))
    return distributions


@dataclass(frozen=True)
class _Module:
    """One of our modules, read.

    Attributes:
      tree: its code.
      content: its digest, of the code without layout and comments.
      imports: every one of its imports.
      lists_kinds: whether it binds `KINDS`.
    """

    tree: ast.Module
    content: str
    imports: tuple[_Import, ...]
    lists_kinds: bool


@functools.cache
def _read_version(path: Path, changed_ns: int) -> _Module:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    content = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
    return _Module(tree, content, tuple(_imports(tree)), _lists_kinds(tree))


def _module(name: str, root: Path) -> _Module:
    path = _file_of(name, root)
    return _read_version(path, path.stat().st_mtime_ns)


def _file_of(module: str, root: Path) -> Path:
    """The file of one of our modules; FileNotFoundError would say it is none."""
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _used_definitions(tree: ast.Module, module: str, function: str) -> list[ast.stmt]:
    """The function's statement and those of its module that bind a name it uses, and so on."""
    bindings = {name: node for node in tree.body for name in _bound_names(node)}
    if not isinstance(bindings.get(function), ast.FunctionDef):
        raise ValueError(f"{module} has no function {function!r}")
    used: dict[str, ast.stmt] = {}
    todo = [function]
    while todo:
        name = todo.pop()
        if name in bindings and name not in used:
            used[name] = bindings[name]
            todo += _used_names(bindings[name])
    return [node for node in tree.body if any(node is other for other in used.values())]


def _used_names(node: ast.stmt) -> list[str]:
    """Names that a statement uses, without a function's own parameters."""
    own = {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
    return [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id not in own]


def _bound_names(node: ast.stmt) -> list[str]:
    """Names that a statement of the module's top level binds."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
    return names + [i.bound for i in _imports(node)]


def _modules_run_by(item: _Import, is_module: Callable[[str], bool]) -> set[str]:
    """The module imported and the packages around it, whose `__init__` runs too."""
    deepest = item.whole if is_module(item.whole) else item.module
    parts = deepest.split(".")
    names = {".".join(parts[: i + 1]) for i in range(len(parts))}
    return {name for name in names if is_module(name)}


def _lists_kinds(tree: ast.Module) -> bool:
    """Return whether a module binds `KINDS`."""
    targets = [t for node in tree.body if isinstance(node, ast.Assign) for t in node.targets]
    return any(isinstance(target, ast.Name) and target.id == "KINDS" for target in targets)


def _imports(node: ast.AST) -> Iterator[_Import]:
    """Every import below `node`, those inside functions too, those for the type checker not."""
    tops = {node, *(node.body if isinstance(node, ast.Module) else ())}
    todo = [node]
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Constant)):
            yield from _own_imports(node, needed=node in tops)
        elif isinstance(node, ast.If) and _is_type_checking(node.test):
            todo += node.orelse
        else:
            todo += ast.iter_child_nodes(node)


def _own_imports(node: ast.AST, *, needed: bool) -> Iterator[_Import]:
    """What a node imports itself.

    A string that is the dotted name of a module counts: that is how one starts a process with it.
    """
    if isinstance(node, ast.Import):
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            yield _Import(alias.name, "", bound, needed)
    elif isinstance(node, ast.ImportFrom):
        if node.level or node.module is None:
            raise ValueError(f"line {node.lineno}: a relative import; name the module in full")
        for alias in node.names:
            yield _Import(node.module, alias.name, alias.asname or alias.name, needed)
    elif isinstance(node, ast.Constant) and _DOTTED.fullmatch(str(node.value)):
        yield _Import(str(node.value), "", "")


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )
