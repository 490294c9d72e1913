"""The commands in the documentation run, and give the documented output.

Every block of shell and Python runs, page by page, in a folder with a run that pushed a model and
beside a server. A block of JSON below it must have the shape of the output; a block of plain text,
its lines except for numbers and paths. Blocks marked `elsewhere` need more than this machine has,
those marked `tasks` the runs of other datasets: test_tasks.py follows them. Blocks marked
`tutorial` run in a folder with the tables of the shipped datasets alone.
"""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from pipeline import serve
from pipeline.cli import main

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
CARD = "runs/taxi/serving/3/MODEL_CARD.md"
PAGES = [
    *("README.md", "docs/serving.md", "docs/scoring.md", "docs/skew.md"),
    *("docs/tutorials/binary.md", CARD),
]
# In this order: later ones use the runs of earlier ones.
TUTORIALS = [
    f"docs/{name}.md" for name in ("quickstart", "tutorials/multiclass", "tutorials/regression")
]

# Replaces the command; its work is done in this process, where TensorFlow is loaded.
SHIM = """#!/bin/sh
exec {python} -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@" >> {asked}
"""
# Additional arguments of commands, so that they end.
ENDING = {"stream": ["--stop-after", "1", "--look", "0.5"]}
ENDS = {"skew": (0, 3)}


@dataclass(frozen=True)
class Block:
    """A block of code on a page; `language` is "" for the output of a command."""

    where: str
    language: str
    text: str


@dataclass(frozen=True)
class Desk:
    """A folder to work in, and a server.

    Attributes:
      folder: has runs/taxi, logs, and some trips.
      printed: the output of the server when it was ready.
      ports: the server's ports, by the ports in the pages.
    """

    folder: Path
    printed: str
    ports: dict[str, str]

    def meant(self, text):
        """Return a page's text with the server's own ports."""
        return re.sub(r"(127\.0\.0\.1|localhost):(850[01])\b", self._replaced, text)

    def _replaced(self, match):
        return f"{match[1]}:{self.ports[match[2]]}"


def blocks(path, mark=None):
    """Yield the blocks of a page that have this mark; None means those without any."""
    for token in MarkdownIt().parse(path.read_text(encoding="utf-8")):
        language, *marks = (token.info or "").split() or [""]
        if language == mark:
            language, marks = "", [mark]
        if token.type == "fence" and token.map and marks == ([] if mark is None else [mark]):
            yield Block(f"{path.name}:{token.map[0] + 1}", language, token.content)


def furnish(folder):
    """Write what commands in a folder need: curl's settings, and `skewless` by its name."""
    (folder / "bin").mkdir()
    (folder / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\n", encoding="utf-8")
    shim = folder / "bin/skewless"
    shim.write_text(SHIM.format(python=sys.executable, asked=folder / "asked"), encoding="utf-8")
    shim.chmod(0o755)


def require_tools(typed):
    """Skip a test whose blocks call a tool that is not installed."""
    for tool in ("curl", "openssl"):
        if shutil.which(tool) is None and any(f"{tool} " in block.text for block in typed):
            pytest.skip(f"{tool} is not installed")


@pytest.fixture
def desk(tmp_path, pushed_server, served_run, csv, monkeypatch):
    """A folder like the reader's, which is the current folder of this process."""
    (tmp_path / "runs").symlink_to(served_run.parent)
    (tmp_path / "logs").symlink_to(served_run.parent.parent / "logs")
    for folder in ("trips", "incoming"):
        (tmp_path / folder).mkdir()
    shutil.copy(csv, tmp_path / "trips.csv")
    shutil.copy(csv, tmp_path / "incoming/monday.csv")
    (tmp_path / "trips/monday.csv.gz").write_bytes(gzip.compress(csv.read_bytes()))
    furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path, *pushed_server)


class Reader:
    """Types the commands of a page, block by block."""

    def __init__(self, desk, monkeypatch, capfd):
        self._desk = desk
        self._monkeypatch = monkeypatch
        self._capfd = capfd
        self._printed = None

    def follow(self, block):
        """Run a block, or compare its content with the output of the previous one."""
        printed, self._printed = self._printed, None
        if block.language == "sh":
            self._printed = self._run_shell(block)
        elif block.language == "python":
            self._printed = self._run_python(block)
        elif block.language == "json" and printed is not None:
            shown = [shape(value) for value in values(block.text)]
            assert [shape(value) for value in values(printed)] == shown, f"{block.where}: {printed}"
        elif block.language == "" and printed is not None:
            missing = plain(block.text, self._desk) - plain(printed, self._desk)
            assert not missing, f"{block.where}: {missing} not in:\n{printed}"

    def _run_shell(self, block):
        asked = self._desk.folder / "asked"
        asked.write_text("")
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", self._desk.meant(block.text)],
            env={
                **os.environ,
                "PATH": f"{self._desk.folder}/bin:{os.environ['PATH']}",
                "CURL_HOME": str(self._desk.folder),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{block.where}: {done.stdout}{done.stderr}"
        commands = map(json.loads, asked.read_text(encoding="utf-8").splitlines())
        return done.stdout + "".join(self._run_command(block.where, *words) for words in commands)

    def _run_command(self, where, name, *words):
        """Run one of our commands; instead of starting a server, use the running one."""
        started = []

        async def start(*arguments):
            started.append(arguments)

        self._monkeypatch.setattr(serve, "_serve", start)
        self._capfd.readouterr()
        code = main([name, *words, *ENDING.get(name, [])])
        out, err = self._capfd.readouterr()
        assert code in ENDS.get(name, (0,)), f"{where}: {name} ended with {code}: {err}"
        assert len(started) == (name == "serve"), where
        return self._desk.printed if started else out

    def _run_python(self, block):
        self._capfd.readouterr()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as for readers, whom open files do not disturb
            code = compile(self._desk.meant(block.text), block.where, "exec")
            exec(code, {"__name__": "__main__"})
        return self._capfd.readouterr().out


def values(text):
    """Return the JSON documents in a text, one after the other."""
    decoder, found = json.JSONDecoder(), []
    while text := text.strip():
        value, end = decoder.raw_decode(text)
        text = text[end:]
        found.append(value)
    return found


def shape(value):
    """Return a JSON value without the parts that depend on the model."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return "number" if isinstance(value, int | float) else type(value).__name__


def plain(text, desk):
    """Return the lines of a text without numbers, paths of this test and column widths."""
    text = text.replace(f"{desk.folder}/", "")
    lines = (re.sub(r"[\d.,]*\d[\d.,]*", "#", line) for line in text.splitlines())
    return {re.sub(r"\s+", " ", line.strip()) for line in lines} - {""}


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_give_the_documented_output(page, desk, monkeypatch, capfd):
    path = desk.folder / page if page == CARD else ROOT / page
    typed = [block for block in blocks(path) if block.language in ("sh", "python")]
    assert typed
    require_tools(typed)
    reader = Reader(desk, monkeypatch, capfd)
    for block in blocks(path):
        reader.follow(block)


@pytest.mark.long
def test_the_tutorials_lead_from_a_table_to_answers(tmp_path, monkeypatch, capfd):
    for table in ("support/tickets.csv", "deliveries/deliveries.csv"):
        shutil.copy(ROOT / "schemas" / table, tmp_path)
    furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    reader = Reader(Desk(tmp_path, "", {}), monkeypatch, capfd)
    for page in TUTORIALS:
        followed = list(blocks(ROOT / page, "tutorial"))
        assert followed
        for block in followed:
            reader.follow(block)
