"""Feeds: valid Atom, full text, nothing that works only on the page."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from pipeline.site.feeds import feed, full_text
from pipeline.site.shelf import Post, fill_shelf

ATOM = "{http://www.w3.org/2005/Atom}"
SITE = "https://example.org/forge/"


@pytest.fixture(scope="module")
def posts(built: Path) -> list[Post]:
    return [post for post in fill_shelf(built.parent, built.parent / "site").posts if post.edition == "scientist"]


def parse(built: Path, posts: list[Post], site_url: str) -> ElementTree.Element:
    return ElementTree.fromstring(feed(built, posts, "scientist", site_url, "Forge", "Ada"))


def addresses(content: str) -> list[str]:
    return [html.unescape(url) for url in re.findall(r'(?:href|src)="([^"]*)"', content)]


def test_the_published_feeds_are_atom_with_all_that_it_demands(built: Path) -> None:
    for edition in ("scientist", "manager"):
        root = ElementTree.parse(built / edition / "feed.xml").getroot()
        assert root.tag == f"{ATOM}feed"
        for name in ("id", "title", "updated", "author", "link"):
            assert root.find(ATOM + name) is not None
        entries = root.findall(f"{ATOM}entry")
        assert [entry.findtext(f"{ATOM}title") for entry in entries] == [
            "The Mathematics of Optimal Decisions: Bellman Equations Explained",
            "Decision Making 101: How AI Learns to Choose",
        ]
        for entry in entries:
            for name in ("id", "title", "updated", "link", "content"):
                assert entry.find(ATOM + name) is not None
            assert (entry.findtext(f"{ATOM}updated") or "").endswith("T00:00:00Z")
        ids = [element.text for element in root.iter(f"{ATOM}id")]
        assert len(set(ids)) == len(ids) and all(str(each).startswith("urn:uuid:") for each in ids)


def test_with_an_address_every_link_is_absolute_and_leads_somewhere(built: Path, posts: list[Post]) -> None:
    root = parse(built, posts, SITE)
    content = "".join(entry.findtext(f"{ATOM}content") or "" for entry in root.findall(f"{ATOM}entry"))
    named = [*addresses(content), *(link.get("href", "") for link in root.iter(f"{ATOM}link"))]
    assert all(urlsplit(url).scheme for url in named)
    own = [url.removeprefix(SITE) for url in named if url.startswith(SITE) and "feed.xml" not in url]
    assert own
    for url in own:
        path = built / urlsplit(url).path
        assert (path / "index.html" if url.partition("#")[0].endswith("/") else path).is_file(), url


def test_ids_do_not_depend_on_the_address(built: Path, posts: list[Post]) -> None:
    one, other = (parse(built, posts, url) for url in (SITE, ""))
    assert [e.text for e in one.iter(f"{ATOM}id")] == [e.text for e in other.iter(f"{ATOM}id")]
    assert 'href="feed.xml"' in feed(built, posts, "scientist", "", "Forge", "Ada")


def test_the_text_is_whole_and_plain(built: Path) -> None:
    page = (built / "scientist" / "optimal-decisions" / "index.html").read_text(encoding="utf-8")
    text = full_text(page, "scientist/optimal-decisions/", "scientist", SITE)
    assert "What to take away" in text and "How this was measured" in text and "438 sweeps" in text
    assert text.count("<math ") == page.count("<math ")
    for gone in (
        "katex-html",
        "<data",
        "<script",
        "kf-origin",
        "kf-term",
        "headerlink",
        "only-dark",
        "<!--",
        "tabindex",
    ):
        assert gone not in text
    assert f'src="{SITE}assets/figures/week01_mdp/convergence.light.svg"' in text
    assert text.count("<a ") == text.count("</a>") and text.count("<p") >= text.count("</p>")
