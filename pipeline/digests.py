"""Digests of what a stage depends on in addition to its inputs: code, libraries, source files.

Each digest becomes a parameter of the stage's node and so a part of TFX's cache key: a stage runs
again exactly when one of them changes. Code is read but not imported, so a digest takes
milliseconds and covers the source files rather than modules that are already loaded.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components import files, stores
from pipeline.digest_cache import DigestCache
from schemas.spec import Spec

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("components", "schemas")

# Libraries whose version affects the output of a stage, by their import names.
LIBRARIES = {
    "apache_beam": "apache-beam",
    "keras": "keras",
    "numpy": "numpy",
    "pyarrow": "pyarrow",
    "tensorflow": "tensorflow",
    "tensorflow_data_validation": "tensorflow-data-validation",
    "tensorflow_transform": "tensorflow-transform",
    "tfx_bsl": "tfx-bsl",
}

_CODE = (".py", ".j2")  # endings of files that affect the output

_DOTTED = re.compile(rf"({'|'.join(PACKAGES)})(\.\w+)+")


@dataclass(frozen=True)
class _Import:
    """An imported name: `name` of `module`, or the module itself if `name` is empty."""

    module: str
    name: str
    bound: str


def code(module: str, function: str, *, modules: Sequence[str] = (), root: Path = ROOT) -> str:
    """Return the digest of all code that `function` of `module` can reach.

    This covers the function itself with the names of its module that it uses, every module of ours
    that those import, directly or indirectly, as a whole, and the versions of the libraries among
    them. Layout and comments do not count, nor do imports for the type checker.

    A package that lists kinds to choose from, in a tuple `KINDS`, does not count, nor do the kinds
    that it imports: the chosen ones are passed as `modules`.

    Args:
      module: the module of the function.
      function: its name.
      modules: further modules whose code and imports count: those that are loaded by name.
      root: the folder of our packages.

    Raises:
      ValueError: the module has no such function.
    """
    digest = hashlib.sha256(f"python {sys.version_info[0]}.{sys.version_info[1]}".encode())
    imports = [_Import(name, "", "") for name in modules]
    for node in _used_definitions(_module(module, root).tree, module, function):
        digest.update(ast.dump(node).encode())
        imports += list(_imports(node))
    ours, libraries = _reach(imports, root)
    for name in sorted(ours):
        digest.update(f"\n{name}\n{_module(name, root).content}".encode())
    for name in sorted(libraries):
        digest.update(f"\n{name} {importlib.metadata.version(LIBRARIES[name])}".encode())
    return digest.hexdigest()


def project(*, root: Path = ROOT) -> str:
    """Return the digest of all of this project's code, and of the libraries that compute.

    Unlike `code`, which takes a hundred times as long, it changes with every comment.
    """
    digest = hashlib.sha256(f"python {sys.version}".encode())
    for package in (*PACKAGES, "pipeline"):
        for path in sorted(p for p in root.joinpath(package).rglob("*.*") if p.suffix in _CODE):
            digest.update(f"\n{path.relative_to(root)}\n".encode())
            digest.update(path.read_bytes())
    for library in ("tfx", "ml-metadata", *LIBRARIES.values()):
        digest.update(f"\n{library} {importlib.metadata.version(library)}".encode())
    return digest.hexdigest()


def reachable(
    module: str, function: str, *, modules: Sequence[str] = (), root: Path = ROOT
) -> frozenset[str]:
    """Return the modules of ours that count in the digest `code` of the same arguments."""
    nodes = _used_definitions(_module(module, root).tree, module, function)
    imports = [_Import(name, "", "") for name in modules]
    imports += [i for node in nodes for i in _imports(node)]
    return frozenset(_reach(imports, root)[0])


def source(paths: Iterable[str], known: DigestCache) -> str:
    """Return the identity of source files: the content of each, in the order of their paths.

    Of a path only the ending counts, which says whether a file is compressed. Times do not count:
    files that were touched, copied or renamed are still the same source. A file is read in full
    when it is new or looks changed; otherwise `known` has its digest. In a store, the tags of the
    listing are used (MD5 or generation in `gs://`, ETag in `s3://`), and nothing is read.

    Raises:
      FileNotFoundError: a file does not exist.
      OSError: a file cannot be read.
      StoreError: the store does not answer, or refuses.
    """
    ordered = sorted(paths)
    if files.in_store(ordered[0]):
        start = os.path.commonprefix(ordered)  # noqa: RUF071 - stores list by text, not by folder
        contents = stores.tags(start)
        if gone := next((path for path in ordered if path not in contents), None):
            raise FileNotFoundError(gone)
    else:
        contents = known.digests(ordered)
    entries = [(os.path.splitext(path)[1], contents[path]) for path in ordered]
    return hashlib.sha256(json.dumps(entries).encode()).hexdigest()


def of_sources(spec: Spec, schema_text: str, code: Mapping[str, str]) -> dict[str, str]:
    """Return the SHA-256 of pipeline.yaml's content, of schema.pbtxt, and of all stages' code."""
    contents = {
        "code": json.dumps(code, sort_keys=True),
        "pipeline": spec.model_dump_json(),
        "schema": schema_text,
    }
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in contents.items()}


@dataclass(frozen=True)
class _Module:
    """One of our modules, parsed.

    Attributes:
      tree: its code.
      content: its digest, without layout and comments.
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
    """Return the file of one of our modules; raises FileNotFoundError for any other name."""
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _used_definitions(tree: ast.Module, module: str, function: str) -> list[ast.stmt]:
    """Return the function and the statements of its module that bind names it uses, recursively."""
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
    """Return the names that a statement uses, without a function's own parameters."""
    own = {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
    return [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id not in own]


def _bound_names(node: ast.stmt) -> list[str]:
    """Return the names that a top-level statement of the module binds."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
    return names + [i.bound for i in _imports(node)]


def _reach(imports: Sequence[_Import], root: Path) -> tuple[set[str], set[str]]:
    """Return our modules and the libraries in the transitive closure of these imports."""
    ours: set[str] = set()
    libraries: set[str] = set()
    todo = list(imports)
    while todo:
        item = todo.pop()
        top = item.module.partition(".")[0]
        if top in LIBRARIES:
            libraries.add(top)
        if top not in PACKAGES:
            continue
        for name in _modules_run_by(item, root) - ours:
            read = _module(name, root)
            if not read.lists_kinds:
                ours.add(name)
                todo += read.imports
    return ours, libraries


def _modules_run_by(item: _Import, root: Path) -> set[str]:
    """Return the imported module and its parent packages, whose `__init__` runs too."""
    candidate = f"{item.module}.{item.name}" if item.name else item.module
    deepest = candidate if _file_of(candidate, root).is_file() else item.module
    parts = deepest.split(".")
    names = {".".join(parts[: i + 1]) for i in range(len(parts))}
    return {name for name in names if _file_of(name, root).is_file()}


def _lists_kinds(tree: ast.Module) -> bool:
    """Return whether a module binds `KINDS`."""
    targets = [t for node in tree.body if isinstance(node, ast.Assign) for t in node.targets]
    return any(isinstance(target, ast.Name) and target.id == "KINDS" for target in targets)


def _imports(node: ast.AST) -> Iterator[_Import]:
    """Yield every import below `node`, also inside functions, but not for the type checker."""
    todo = [node]
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Constant)):
            yield from _own_imports(node)
        elif isinstance(node, ast.If) and _is_type_checking(node.test):
            todo += node.orelse
        else:
            todo += ast.iter_child_nodes(node)


def _own_imports(node: ast.AST) -> Iterator[_Import]:
    """Yield what a node itself imports.

    A string that is the dotted name of a module counts: processes are started with such names.
    """
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield _Import(alias.name, "", alias.asname or alias.name.partition(".")[0])
    elif isinstance(node, ast.ImportFrom):
        if node.level or node.module is None:
            raise ValueError(f"line {node.lineno}: a relative import; name the module in full")
        for alias in node.names:
            yield _Import(node.module, alias.name, alias.asname or alias.name)
    elif isinstance(node, ast.Constant) and _DOTTED.fullmatch(str(node.value)):
        yield _Import(str(node.value), "", "")


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )
