"""The pages about data and runs as documents."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from pipeline.report import compare_page, page, run_page, runs_page
from pipeline.report.document import embedded

HOSTILE = "</script><!--<script>&\u2028'\""
CONTENT = {
    "pipeline": HOSTILE,
    "run": HOSTILE,
    "columns": [{"name": HOSTILE}],
    "first": {"pipeline": HOSTILE},
}


class Elements(HTMLParser):
    """The elements of a document, and the scripts and styles in it, as [name, type, text]."""

    def __init__(self, document):
        super().__init__()
        self.names, self.texts, self.metas, self.outside = [], [], [], []
        self.inside = False
        self.feed(document)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.outside += [value for name, value in attrs if name in ("src", "srcset", "data")]
        self.inside = tag in ("script", "style")
        if self.inside:
            self.texts.append([tag, dict(attrs).get("type"), ""])
        if tag == "meta":
            self.metas.append(dict(attrs))

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.texts[-1][2] += data


@pytest.fixture(scope="module", params=[page, run_page, compare_page, runs_page])
def elements(request):
    return Elements(request.param.page(CONTENT))


def test_the_content_is_whole_and_ends_no_element(elements):
    scripts = [text for tag, kind, text in elements.texts if kind == "application/json"]
    assert [json.loads(text) for text in scripts] == [CONTENT]
    assert not re.search("[<>&]", embedded(CONTENT))


def test_the_policy_allows_what_the_page_has_and_nothing_else(elements):
    (policy,) = (m["content"] for m in elements.metas if "http-equiv" in m)
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives["default-src"] == "'none'"

    for directive, name in (("script-src", "script"), ("style-src", "style")):
        texts = [text for tag, kind, text in elements.texts if (tag, kind) == (name, None)]
        digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()) for text in texts]
        assert directives[directive].split() == [f"'sha256-{d.decode()}'" for d in digests]


def test_the_page_refers_to_nothing_outside(elements):
    assert elements.outside == []
    assert "link" not in elements.names


def test_a_number_that_json_lacks_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        embedded(float("nan"))
