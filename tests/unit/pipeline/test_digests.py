"""The code digest covers what a node's function reaches, and nothing else."""

import importlib.metadata
import os
from pathlib import Path

import pytest

from components.prepare import rules
from components.sources import protocol as sources
from components.transform import preprocessing
from pipeline import dag, digest_cache, digests
from pipeline.distributions import installed
from pipeline.imports import reach
from schemas import catalog
from schemas.errors import ConfigError
from tests.unit.pipeline.distributions import install

COMPONENT = '''
"""Two nodes."""
from typing import TYPE_CHECKING
from components import progress
from components.room import measuring
from components.room.writing import write
if TYPE_CHECKING:
    from components.room import types_only

LIMIT = 3


def measure(uri: str, other: str) -> None:
    with progress.stage("measure"):
        measuring.measure(uri, LIMIT)


def keep(uri: str, measuring: str) -> None:
    write(uri, measuring)


def deep(uri: str) -> None:
    from components.room import inside
    run("components.room.process")


def choose(uri: str, kind: str) -> None:
    from components.kinds import finding
    from schemas import kinds
    finding.find(kind)
'''


# Libraries with their files; the first requires the second.
TOY = {"toy": ("toy/__init__.py", "toy/reading.py"), "toy-engine": ("toy_engine.so",)}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small house of modules, each with a single statement."""
    files = {
        "components/__init__.py": '"""Middle floor."""',
        "components/progress.py": "import logging",
        "components/room/__init__.py": "",
        "components/room/component.py": COMPONENT,
        "components/room/measuring.py": "import numpy as np\nfrom schemas.spec import Split",
        "components/room/writing.py": "def write(a, b): return a + b",
        "components/room/inside.py": "x = 1",
        "components/room/process.py": "y = 1",
        "components/room/types_only.py": "z = 1",
        "components/kinds/__init__.py": "",
        "components/kinds/finding.py": "def find(kind): return load(f'components.kinds.{kind}')",
        "components/kinds/one.py": "from schemas.kinds.one import One",
        "components/kinds/two.py": "from schemas.kinds.two import Two",
        "schemas/kinds/__init__.py": (
            "from schemas.kinds.one import One\nfrom schemas.kinds.two import Two\n"
            "KINDS = (One, Two)"
        ),
        "schemas/kinds/one.py": "class One: pass",
        "schemas/kinds/two.py": "class Two: pass",
        "schemas/__init__.py": "",
        "schemas/spec.py": "class Split: pass",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Return a function that makes a folder of libraries and puts it before the others.

    Those of `TOY` are installed.
    """

    def folder(name):
        made = tmp_path / name
        made.mkdir()
        monkeypatch.syspath_prepend(str(made))
        return made

    first = folder("site")
    install(first, "toy", files=TOY["toy"], requires=("toy-engine",))
    install(first, "toy-engine", files=TOY["toy-engine"])
    return folder


def code(house: Path, function: str) -> str:
    return digests.code("components.room.component", function, root=house)


def reachable(house: Path, function: str) -> set[str]:
    return set(reach("components.room.component", function, root=house).modules)


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    before = path.stat()
    path.write_text(text.replace(old, new), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))


def test_a_node_reaches_what_its_function_names_and_their_imports(house):
    assert reachable(house, "measure") == {
        "components",
        "components.progress",
        "components.room",
        "components.room.measuring",
        "schemas",
        "schemas.spec",
    }


def test_a_parameter_hides_the_module_of_its_name(house):
    assert reachable(house, "keep") == {"components", "components.room", "components.room.writing"}


def test_imports_inside_a_function_and_modules_named_as_processes_count(house):
    assert {"components.room.inside", "components.room.process"} <= reachable(house, "deep")


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("components/room/measuring.py", "np", "numpy", {"measure"}),
        ("components/room/writing.py", "a + b", "a - b", {"keep"}),
        ("components/room/inside.py", "1", "2", {"deep"}),
        ("components/room/process.py", "1", "2", {"deep"}),
        ("components/room/types_only.py", "1", "2", set()),
        ("schemas/spec.py", "pass", "x = 1", {"measure"}),
        ("components/room/component.py", "LIMIT = 3", "LIMIT = 4", {"measure"}),
        ("components/room/component.py", "write(uri, m", "write(uri * 2, m", {"keep"}),
        ("components/room/writing.py", "def", "# a comment\n\ndef", set()),
    ],
)
def test_a_changed_line_changes_the_digests_of_what_depends_on_it(house, file, old, new, changed):
    nodes = ("measure", "keep", "deep")
    before = {node: code(house, node) for node in nodes}
    rewrite(house / file, old, new)
    assert {node for node in nodes if code(house, node) != before[node]} == changed


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("components/kinds/one.py", {"one"}),
        ("schemas/kinds/one.py", {"one"}),
        ("components/kinds/two.py", {"two"}),
        ("schemas/kinds/two.py", {"two"}),
        ("components/kinds/finding.py", {"one", "two"}),
        ("schemas/kinds/__init__.py", set()),  # where a kind is added
    ],
)
def test_a_kind_counts_where_it_was_chosen_and_nowhere_else(house, file, changed):
    def code_of(kind):
        kinds = {"components.kinds.finding": [f"components.kinds.{kind}"]}
        return digests.code("components.room.component", "choose", kinds=kinds, root=house)

    before = {kind: code_of(kind) for kind in ("one", "two")}
    with open(house / file, "a", encoding="utf-8") as source:
        source.write("\nmore = 1")
    os.utime(house / file, ns=(1, 1))
    assert {kind for kind in before if code_of(kind) != before[kind]} == changed


@pytest.mark.parametrize(
    ("statement", "upgraded"),
    [("import toy", "toy"), ("from toy.reading import read", "toy-engine")],
)
def test_a_library_counts_for_those_who_import_it(house, site, statement, upgraded):
    before = {node: code(house, node) for node in ("measure", "keep", "deep")}
    rewrite(house / "components/room/writing.py", "def", f"{statement}\ndef")
    imported = {node: code(house, node) for node in before}
    assert {node for node in before if imported[node] != before[node]} == {"keep"}
    install(site("upgraded"), upgraded, version="2", files=TOY[upgraded])
    after = {node: code(house, node) for node in before}
    assert {node for node in before if after[node] != imported[node]} == {"keep"}


def test_a_library_that_only_a_function_imports_may_be_missing(house, site):
    rewrite(house / "components/room/writing.py", ": return", ":\n    import toy_extra\n    return")
    before = code(house, "keep")
    install(site("more"), "toy-extra", files=("toy_extra.py",))
    assert code(house, "keep") != before


@pytest.mark.parametrize(
    "statement",
    ["import nowhere", "from nowhere.deep import thing", "def f():\n    import loose\n"],
)
def test_an_import_of_no_distribution_is_named(house, site, statement):
    (site("loose") / "loose.py").write_text("")
    rewrite(house / "components/room/writing.py", "def", f"{statement}\ndef")
    assert code(house, "measure")
    with pytest.raises(ConfigError, match=r"components\.room\.writing imports (nowhere|loose)"):
        code(house, "keep")


def test_an_unknown_function_is_refused(house):
    with pytest.raises(ValueError, match="no function 'nothing'"):
        code(house, "nothing")


def test_a_relative_import_is_refused(house):
    rewrite(house / "components/room/writing.py", "def", "from . import inside\ndef")
    with pytest.raises(ValueError, match="relative import"):
        code(house, "keep")


def test_the_rooms_are_distinguished():
    """In the real code, what only one stage uses is not in another stage's digest."""
    reached = {
        node: reach(f"components.{room}.component", node).modules.keys()
        for node, room in dag.ROOMS.items()
    }
    assert "components.validate.statistics" in reached["statistics"]
    assert "components.validate.gate" in reached["gate"]
    assert "components.validate.gate" not in reached["statistics"] | reached["import_schema"]
    assert not any("evaluate" in module for module in reached["export"])
    assert "components.parity.fresh_process" in reached["parity"]
    assert not any(m.startswith("pipeline") for modules in reached.values() for m in modules)


@pytest.mark.parametrize(("kind", "other"), [("csv", "parquet"), ("parquet", "csv")])
def test_only_the_source_that_was_chosen_is_in_ingest_s_digest(kind, other):
    kinds = {sources.__name__: [sources.module_of(kind)]}
    reached = reach("components.ingest.component", "ingest", kinds=kinds).modules.keys()
    assert {f"components.sources.{kind}", f"schemas.sources.{kind}"} <= reached
    assert not {f"components.sources.{other}", f"schemas.sources.{other}"} & reached
    assert "schemas.sources" not in reached  # a kind may be added to it


def kinds_reached(node):
    """Return the modules of kinds that are in the digest of a node of the taxi example."""
    kinds = dag._kinds(node, catalog.load("taxi"))
    found = reach(f"components.{dag.ROOMS[node]}.component", node, kinds=kinds)
    return {module for modules in kinds.values() for module in modules} & found.modules.keys()


def test_only_a_pipeline_with_conditions_depends_on_duckdb():
    for chosen in ([], [rules.CONDITIONS]):
        found = reach("components.ingest.component", "ingest", kinds={rules.__name__: chosen})
        assert ("duckdb" in found.distributions) == bool(chosen)
        assert ("components.expressions.rows" in found.modules) == bool(chosen)


@pytest.mark.parametrize("node", ["transform", "push"])
def test_only_a_pipeline_with_derived_columns_depends_on_their_code(node):
    for chosen in ([], [preprocessing.DERIVED_COLUMNS]):
        kinds = {preprocessing.__name__: chosen}
        found = reach(f"components.{node}.component", node, kinds=kinds).modules
        for module in ("components.expressions.tensors.graph", "schemas.expressions.tree_json"):
            assert (module in found) == bool(chosen)


def test_kinds_that_were_chosen_count_where_they_are_found_by_name():
    used = ("cross", "piecewise_linear", "quantile_buckets", "vocabulary", "z_score")
    treatments = {f"components.transform.treatments.{kind}" for kind in used}
    task = {"components.tasks.binary", "schemas.tasks.binary"}
    assert {node: kinds for node in dag.NODES if (kinds := kinds_reached(node))} == {
        "ingest": {
            sources.module_of("csv"),
            "components.ingest.splits.hash",
            "schemas.tasks.binary",
        },
        "statistics": {"components.tasks.binary_outcome", "schemas.tasks.binary"},
        "transform": {*treatments, *task},
        "train": task,
        "export": {*treatments, *task},
        "evaluate": task,
        "explain": {*treatments, *task},
        "parity": {sources.module_of("parquet"), *treatments, *task},
        "push": {*treatments, *task},
    }


def test_an_unused_treatment_counts_in_no_digest_and_a_used_one_in_transforms():
    used = "components.transform.treatments.z_score"
    for node in dag.NODES:
        modules = reach(f"components.{dag.ROOMS[node]}.component", node).modules
        assert not {m for m in modules if "treatments." in m} - {
            "components.transform.treatments.protocol",
            "schemas.treatments.options",
        }
    kinds = {"components.transform.treatments.protocol": [used]}
    modules = reach("components.transform.component", "transform", kinds=kinds).modules
    assert {used, "schemas.treatments.z_score"} <= modules.keys()
    assert "schemas.treatments.date_parts" not in modules


def libraries(node, **kinds):
    found = reach(f"components.{dag.ROOMS[node]}.component", node, **kinds)
    return installed().versions(found.distributions)


def test_libraries_of_a_node_are_those_that_it_imports_and_all_that_they_require():
    assert {"tensorflow-data-validation", "pandas"} <= libraries("statistics").keys()
    assert {"tensorflow", "numpy", "protobuf"} <= libraries("train").keys()
    for name, version in libraries("train").items():
        assert version == importlib.metadata.version(name)
    assert {"jinja2", "markupsafe"} <= reach("components.push.component", "push").distributions
    assert "jinja2" not in reach("components.train.component", "train").distributions


@pytest.fixture
def source(tmp_path):
    """Return the identity of files with these names in a folder, as a separate run sees it."""

    def of(*names):
        with digest_cache.opened(tmp_path / "digests.json") as known:
            return digests.source([str(tmp_path / name) for name in names], known)

    return of


def test_source_files_are_known_by_what_they_hold(tmp_path, source):
    for name, text in {"a.csv": "x\n", "b.csv": "y\n"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    first = source("a.csv", "b.csv")
    assert source("b.csv", "a.csv") == first
    assert source("a.csv") != first

    os.utime(tmp_path / "a.csv", ns=(1, 1))
    (tmp_path / "b.csv").rename(tmp_path / "c.csv")
    assert source("a.csv", "c.csv") == first

    stat = (tmp_path / "c.csv").stat()
    (tmp_path / "c.csv").write_text("z\n", encoding="utf-8")
    os.utime(tmp_path / "c.csv", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert source("a.csv", "c.csv") != first


def test_what_is_done_to_a_file_by_its_name_counts(tmp_path, source):
    for name, text in {"1.csv": "x", "2.csv": "y", "3.csv": "x", "x.gz": "x"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert source("1.csv", "2.csv") != source("2.csv", "3.csv")  # the order of rows differs
    assert source("1.csv") != source("x.gz")  # one is decompressed


def test_a_missing_source(source):
    with pytest.raises(FileNotFoundError):
        source("gone.csv")


def test_the_project_s_digest_takes_in_every_line_and_library(tmp_path, site):
    for package in ("components", "pipeline", "schemas"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "one.py").write_text("ONE = 1\n")
    seen = [digests.project(root=tmp_path)]
    assert digests.project(root=tmp_path) == seen[0]
    (tmp_path / "pipeline" / "one.py").write_text("ONE = 1  # a comment\n")
    seen.append(digests.project(root=tmp_path))
    (tmp_path / "schemas" / "one.py").rename(tmp_path / "schemas" / "two.py")
    seen.append(digests.project(root=tmp_path))
    install(site("more"), "toy-extra")
    seen.append(digests.project(root=tmp_path))
    metadata = tmp_path / "more" / "toy_extra-1.dist-info"
    metadata.rename(metadata.with_name("toy_extra-2.dist-info"))
    seen.append(digests.project(root=tmp_path))
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("function", dag.SPAN_ROOMS)
def test_the_functions_of_spans_are_digested_with_the_kinds_that_they_find_by_name(function):
    kinds = dag._kinds(function, catalog.load("taxi"))
    found = reach(f"components.{dag.SPAN_ROOMS[function]}.component", function, kinds=kinds)
    reads = sources.module_of("csv") in found.modules
    assert reads == (function not in ("measure_span", "join_statistics"))
    assert not any(module.startswith("pipeline") for module in found.modules)
