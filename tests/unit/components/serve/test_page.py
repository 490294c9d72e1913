"""The page without a browser: it loads nothing and runs only its own script."""

import base64
import hashlib
import re

import pytest

from components.serve.page import _FILES, _SCRIPTS, answer, page


@pytest.fixture
def document():
    return page().decode()


def inline(document, tag):
    (text,) = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", document, re.DOTALL)
    return text


def test_it_is_small_and_read_once():
    assert len(page()) < 100_000
    assert page() is page()


def test_nothing_is_left_to_fill_in(document):
    assert "{{" not in document.replace(inline(document, "script"), "")


def test_it_loads_nothing(document):
    markup = document.replace(inline(document, "script"), "").replace(inline(document, "style"), "")
    links = re.findall(r"(?:src|href|action)\s*=\s*[\"']([^\"']*)", markup)
    assert len(links) == 1
    assert links[0].startswith("data:image/svg+xml,")
    assert "url(" not in inline(document, "style")
    assert "@import" not in inline(document, "style")
    assert not re.search(r"^import |import\(", inline(document, "script"), re.MULTILINE)
    # The only address in the script is SVG's name space, and is never fetched.
    assert re.findall(r"https?://[^\"'`\s]+", inline(document, "script")) == [
        "http://www.w3.org/2000/svg"
    ]


def test_no_markup_is_made_from_text(document):
    ways = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|\.srcdoc"
    assert not re.search(ways, inline(document, "script"))
    assert not re.search(
        r"\son[a-z]+\s*=|\sstyle\s*=", document.split("<body>")[1].split("<script")[0]
    )


@pytest.mark.parametrize("tag", ["script", "style"])
def test_the_policy_names_what_is_inline(document, tag):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', document)
    digest = base64.b64encode(hashlib.sha256(inline(document, tag).encode()).digest()).decode()
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives[f"{tag}-src"] == f"'sha256-{digest}'"
    assert directives["default-src"] == "'none'"
    assert directives["connect-src"] == "'self'"
    assert "unsafe" not in policy


def test_the_answer_has_the_policy_too_and_forbids_frames(document):
    given = answer()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', document)
    assert given.headers == (f"Content-Security-Policy: {policy}; frame-ancestors 'none'",)
    assert (given.status, given.body) == (200, page())
    assert given.content_type.startswith("text/html")


def test_the_policy_precedes_what_it_restricts(document):
    assert document.index("Content-Security-Policy") < document.index("<style>")


def test_every_file_is_part_of_it():
    assert {path.name for path in _FILES.iterdir()} == {*_SCRIPTS, "page.html", "page.css"}


def test_titles_of_metrics_have_room_for_the_number_that_an_option_chooses(document):
    assert '"top_{k}_accuracy": "top-{k} accuracy"' in document
    assert "top_3_accuracy" not in document
