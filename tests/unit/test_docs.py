"""The documentation names only existing files, headings, commands, options and keys."""

import ast
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from markdown_it import MarkdownIt

from pipeline.cli import cli
from schemas import catalog
from schemas.evaluation import Evaluation
from schemas.missing import Missing
from schemas.prepare import DropDuplicates, Keep, OutlierRule, TrainingSample
from schemas.schema_fields import ACCEPTED
from schemas.sources import KINDS as SOURCES
from schemas.spec import Spec
from schemas.splits import KINDS as SPLITS
from schemas.strict import Strict
from schemas.tasks import KINDS as TASKS
from schemas.tasks.binary import Equals, Exceeds
from schemas.tasks.options import Bound
from schemas.treatments import COMBINATIONS
from schemas.treatments import KINDS as TREATMENTS
from schemas.treatments.cross import Cross

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "deploy/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
# Options of other programs that the pages mention.
OTHERS = {"--runner"}


def tokens(page):
    return MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8"))


def fences(page, *languages):
    """Return (line, text) of the page's code blocks in a language, elsewhere or not."""
    return [
        (f"{page.name}:{token.map[0] + 1}", token.content)
        for token in tokens(page)
        if token.type == "fence" and (token.info.split() or [""])[0] in languages
    ]


def inline(page, kind):
    return [
        child
        for token in tokens(page)
        if token.type == "inline"
        for child in token.children
        if child.type == kind
    ]


def anchors(page):
    """Return the page's headings in the form of links to them."""
    found = tokens(page)
    titles = [found[i + 1].content for i, t in enumerate(found) if t.type == "heading_open"]
    kept = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {title.replace(" ", "-") for title in kept}


def commands(text):
    """Return the words of each `skewless` command of a shell script."""
    lines = text.replace("\\\n", " ").splitlines()
    typed = (line.removeprefix("$ ") for line in lines)
    return [shlex.split(line, comments=True)[1:] for line in typed if line.startswith("skewless ")]


def options(name):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, f"there is no command {name}"
    parts = list(command.commands.values()) if isinstance(command, click.Group) else []
    return {
        option
        for part in (command, *parts)
        for each in part.get_params(click.Context(part))
        for option in each.opts
    }


@pytest.fixture(params=PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def page(request):
    return request.param


def test_links_lead_somewhere(page):
    links = [link.attrs["href"] for link in inline(page, "link_open")]
    links += [image.attrs["src"] for image in inline(page, "image")]
    for link in links:
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


def test_commands_and_their_options_are_there(page):
    for where, text in fences(page, "sh", "console"):
        for name, *words in commands(text):
            ours = words[: words.index("--")] if "--" in words else words
            used = {word.partition("=")[0] for word in ours if word.startswith("-")}
            assert used <= options(name), where


def test_options_that_are_spoken_of_are_there(page):
    every = OTHERS | {
        option for name in cli.list_commands(click.Context(cli)) for option in options(name)
    }
    for code in inline(page, "code_inline"):
        if code.content.startswith("--"):
            assert re.split("[ =]", code.content)[0] in every, f"{page.name}: {code.content}"


@pytest.mark.parametrize("language", ["sh", "python", "yaml", "json"])
def test_there_are_blocks_to_be_looked_at(language):
    assert any(fences(page, language) for page in PAGES)


def test_shell_and_python_are_well_formed(page):
    for where, text in fences(page, "sh"):
        done = subprocess.run(
            ["bash", "-n"], input=text, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{where}: {done.stderr}"
    for _, text in fences(page, "python"):
        ast.parse(text)


# The shipped dataset that sections of a page belong to; of other pages, taxi.
BASES = {"multiclass": "support", "regression": "deliveries"}


def test_yaml_is_what_pipeline_yaml_takes(page):
    folder = catalog.find_folder(BASES.get(page.stem, "taxi"))
    shipped = (folder / catalog.SPEC_FILE).read_text(encoding="utf-8")
    for _, text in fences(page, "yaml"):
        given = yaml.safe_load(text)
        whole = given if "name" in given else yaml.safe_load(shipped) | given
        if page.stem in BASES:  # the schema, which is not read here, has the task
            whole["label"].setdefault("task", page.stem)
        Spec.model_validate(whole)


# Sections whose kind `label.task` chooses: their keys are those of the kinds.
UNIONS: set[Any] = {Spec.model_fields[name].annotation for name in ("label", "export")} | {
    Evaluation.model_fields["thresholds"].annotation
}


def keys_of(kind, prefix=""):
    """Return every key of a part of pipeline.yaml with its default as in a table."""
    found: dict[str, str] = {}
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Strict) and inner not in (Bound, Keep):
            found |= keys_of(inner, f"{prefix}{name}.")
        elif inner not in UNIONS and name != "kind" and (name != "task" or prefix == "label."):
            found[f"{prefix}{name}"] = shown(field)
    return found


def shown(field):
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Strict):
        value = value.model_dump(exclude_none=True)
    return "" if value in (None, (), {}) else f"`{json.dumps(value)}`"


def test_every_key_of_pipeline_yaml_is_documented_with_its_default():
    column = "features.COLUMN"
    expected = {
        **keys_of(Spec),
        **{k: v for kind in reversed(SOURCES) for k, v in keys_of(kind, "source.").items()},
        **{k: v for split in reversed(SPLITS) for k, v in keys_of(split, "splits.").items()},
        **{
            key: default
            for task in reversed(TASKS)  # the first one is the default
            for part, kind in (
                ("label.", task),
                ("evaluation.thresholds.", task.THRESHOLDS),
                ("export.", task.EXPORT),
            )
            for key, default in keys_of(kind, part).items()
        },
        **keys_of(DropDuplicates, "prepare.drop_duplicates."),
        **keys_of(OutlierRule, "prepare.outliers.COLUMN."),
        **keys_of(TrainingSample, "prepare.sample."),
        **keys_of(Equals, "label.equals."),
        **keys_of(Exceeds, "label.exceeds."),
        **{
            key: default
            for kind in TREATMENTS
            for key, default in keys_of(
                kind, f"{column}.{kind.model_fields['kind'].default}."
            ).items()
        },
        **keys_of(Missing, "missing.COLUMN."),
        **keys_of(Cross, "crosses."),
        **{
            key: default
            for kind in COMBINATIONS
            for key, default in keys_of(
                kind, f"combinations.{kind.model_fields['kind'].default}."
            ).items()
            if kind is not Cross
        },
        **keys_of(Bound, "evaluation.thresholds.METRIC."),
    }
    pages = ("docs/own-data.md", "docs/databases.md", "docs/runners.md")
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in pages)
    row = r"^\| `([A-Za-z_0-9.]+)` \| ?((?:\\\||[^|])*?) ?\|"
    rows = dict(re.findall(row, text, re.MULTILINE))
    documented = {k: v.replace("\\|", "|") for k, v in rows.items() if k not in ACCEPTED}
    assert documented == expected


def test_every_field_of_the_schema_is_documented():
    text = (ROOT / "docs/own-data.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.*) \|$", text, re.MULTILINE)
    assert {field: effect for field, effect in rows if field in ACCEPTED} == ACCEPTED


def test_json_is_json(page):
    for _, text in fences(page, "json"):
        for line in text.splitlines():
            json.loads(line)
