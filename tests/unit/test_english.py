"""Prose reads like the documentation of Beam, Keras or dbt.

The tests search the pages of docs/ and README.md, without their code, and the comments and texts of
Python files in ROOMS for tell-tales: phrases that a native speaker would not write.
"""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ROOMS = ("benchmarks", "components", "deploy", "pipeline", "schemas", "skewless", "tests")
# This file quotes the tell-tales.
NOT_SEARCHED = ("tests/unit/test_english.py",)
FILES = [
    path
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*.py"))
    if not any(path.is_relative_to(ROOT / each) for each in NOT_SEARCHED)
]

# What gives away a sentence that no native speaker would write, with the reason or the right words.
TELL_TALES = {
    r"\b(?:tells?|told)\b(?![^.;|]*\bapart\b)": "only people talk: receives, says, shows, reports",
    r"\b(?:hold|holds|held|holding)\b[^.;:|]{0,60}\bagainst\b": "checks against, compares with",
    r"(?<!there )\b(?:is|are) no (?!longer\b|more\b)": "is not a, are not",
    r"\bwhat is far\b": "anything much",
    r"\bso that [^.;:|]{0,80}\bwould\b": "a purpose takes the present tense: so that it does",
    r"\b(?:can|could|to) be had\b": "is available",
    r"\bways? of serving\b": "serving path",
    r"\b(?:goes in|comes? out)\b": "a sentence has a subject: the function takes, returns, gives",
    r"(?:^|[.;] )(?:promised|promises|held):": "a fragment: say in a sentence what is guaranteed",
    r"\bholds? that\b": "checks that",
    r"\b(?:is|are|was|were) gone\b": "does not exist, has ended, was removed, has disconnected",
    r"\bbut for\b": "except",
    r"\bfor want of\b": "because it lacks",
    r"\b(?:lie|lies|lay)\b": "files do not lie: they are in, or are stored in, a folder",
    r"\banew\b(?!:)": "again; restart, rebuild, recreate",
    r"\bwhoever\b": "name who it is: the caller, the client, anyone who",
    r"\bpass(?:es|ed)? over\b(?! (?:the|these)\b)": "skips, ignores",
    r", for (?:it|they|there|that)\b": "because",
    r"\b(?:is|are|be) said\b": "is reported, is explained",
    r"\basked? after\b": "asks about",
    r"\bin vain\b": "without success",
}
PATTERNS = {re.compile(pattern, re.IGNORECASE): why for pattern, why in TELL_TALES.items()}
ANY = re.compile("|".join(TELL_TALES), re.IGNORECASE)


def prose_of_page(page):
    """Return the page's text by line, without code."""
    for token in MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8")):
        if token.type == "inline":
            texts = (c.content if c.type == "text" else " " for c in token.children or ())
            yield (token.map or [0])[0] + 1, "".join(texts)


def prose_of_module(path):
    """Return the module's comments and texts by line; comments in a row are one text."""
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    if "#" not in source:
        return
    last, words = 0, ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            line, text = token.start[0], token.string.lstrip("# ")
            if line != last + 1:
                yield last, words
                words = ""
            last, words = line, f"{words} {text}"
    yield last, words


def found(texts):
    """Return each tell-tale in the texts, with what to write."""
    return [
        f"line {line}: {match[0]!r}: {why}"
        for line, text in ((line, " ".join(text.split())) for line, text in texts)
        if ANY.search(text)
        for pattern, why in PATTERNS.items()
        for match in pattern.finditer(text)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_reads_as_people_write(page):
    assert found(prose_of_page(page)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_comments_and_messages_read_as_people_write(path):
    assert found(prose_of_module(path)) == []


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("The stage is told the schema.", 1),
        ("Statistics are held against the schema.", 1),
        ("Text is no number.", 1),
        ("It is written so that a reader would wait.", 1),
        ("A runner that can be had, in each way of serving.", 2),
        ("The key tells rows apart; there is no other, and it is no longer read.", 0),
        ("It was held for a minute. Against that, nothing helps.", 0),
    ],
)
def test_tell_tales_are_found_and_correct_sentences_are_not(text, seen):
    assert len(found([(1, text)])) == seen


def test_code_is_not_read(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("`is told`\n\n```\nway of serving\n```\n\n| a |\n|---|\n| is told |\n")
    assert [text.split(":")[0] for text in found(prose_of_page(page))] == ["line 9"]
