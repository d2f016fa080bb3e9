"""One Atom feed an edition, full text, cut from the built pages: what a reader's program shows is what was published.

Formulas come as MathML, values as text, figures in their light variant; nothing that only works on the page is left.
Addresses are absolute where the site has one (`FORGE_SITE_URL`), relative to the feed otherwise.
"""

from __future__ import annotations

import html
import posixpath
import re
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from xml.sax.saxutils import escape, quoteattr

from pipeline.site import mathml
from pipeline.site.shelf import Post, newest_first

NEWEST = 20
FEED = "feed.xml"

_PROSE = re.compile(r'<div class="kf-prose">(.*?)</div>\s*<footer class="kf-post__footer"', re.S)
_DROPPED = (
    re.compile(r'<a class="headerlink"[^>]*>.*?</a>', re.S),
    re.compile(r'<img [^>]*src="[^"]*#only-dark"[^>]*>'),
    re.compile(r"<!--.*?-->", re.S),
    re.compile(r"<(script|style|noscript|button|template)\b.*?</\1>", re.S),
)
_UNWRAPPED = re.compile(r'<a class="kf-(?:origin|term)"[^>]*>(.*?)</a>', re.S)
_VALUE = re.compile(r"</?data\b[^>]*>")
_PRESENTATION = re.compile(r'\s(?:class|loading|tabindex|data-[\w-]+|style)="[^"]*"')
_TAG = re.compile(r"<[a-z][^>]*>")
_ADDRESS = re.compile(r'\b(href|src)="([^"]*)"')


def write_feeds(
    out: Path, posts: Sequence[Post], *, site_url: str, title: str, author: str, directory_urls: bool = True
) -> None:
    """Write `scientist/feed.xml` and `manager/feed.xml` into the built site; `posts` are in plan order."""
    for edition in sorted({post.edition for post in posts}):
        newest = [post for post in newest_first(posts) if post.edition == edition]
        text = feed(out, newest[:NEWEST], edition, site_url, title, author, directory_urls)
        (out / edition / FEED).write_text(text, encoding="utf-8")


def feed(
    out: Path, posts: Sequence[Post], edition: str, site_url: str, title: str, author: str, directory_urls: bool = True
) -> str:
    """The Atom document of an edition. `posts` are newest first."""
    name = f"{title}: {edition.capitalize()} edition"
    updated = max((post.updated for post in posts), default="2026-01-01")
    here, home = f"{edition}/{FEED}", f"{edition}/" if directory_urls else f"{edition}/index.html"
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">',
        f"  <id>{_id(edition)}</id>",
        f"  <title>{escape(name)}</title>",
        f"  <updated>{updated}T00:00:00Z</updated>",
        f'  <link rel="alternate" type="text/html" href={quoteattr(address(home, edition, site_url))}/>',
        f'  <link rel="self" type="application/atom+xml" href={quoteattr(address(here, edition, site_url))}/>',
        f"  <author><name>{escape(author or title)}</name></author>",
    ]
    for post in posts:
        page = f"{post.key}/" if directory_urls else f"{post.key}.html"
        built = out / (f"{page}index.html" if directory_urls else page)
        lines += _entry(post, page, full_text(built.read_text(encoding="utf-8"), page, edition, site_url), site_url)
    return "\n".join([*lines, "</feed>", ""])


def _entry(post: Post, page: str, content: str, site_url: str) -> Iterable[str]:
    yield "  <entry>"
    yield f"    <id>{_id(post.key)}</id>"
    yield f"    <title>{escape(post.title)}</title>"
    yield f'    <link rel="alternate" type="text/html" href={quoteattr(address(page, post.edition, site_url))}/>'
    yield f"    <published>{post.date}T00:00:00Z</published>"
    yield f"    <updated>{post.updated}T00:00:00Z</updated>"
    if post.description:
        yield f"    <summary>{escape(post.description)}</summary>"
    for tag in post.tags:
        yield f"    <category term={quoteattr(tag)}/>"
    yield f'    <content type="html">{escape(content)}</content>'
    yield "  </entry>"


def _id(name: str) -> str:
    """An id that stays whatever address the site gets."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"knowledge-forge/{name}").urn


def address(target: str, edition: str, site_url: str) -> str:
    """A page or file of the site as a feed names it."""
    if site_url:
        return urljoin(site_url.rstrip("/") + "/", target)
    return posixpath.relpath(target, edition) + ("/" if target.endswith("/") else "")


def full_text(page_html: str, page: str, edition: str, site_url: str) -> str:
    """A post's text as a feed carries it, from its built page; `page` is the page's address below the site's root."""
    found = _PROSE.search(page_html)
    text = mathml.as_mathml(found[1]) if found else ""
    for dropped in _DROPPED:
        text = dropped.sub("", text)
    text = _VALUE.sub("", _UNWRAPPED.sub(r"\1", text))

    def absolute(match: re.Match[str]) -> str:
        url = html.unescape(match[2])
        if urlsplit(url).scheme:
            return match[0]
        if url.startswith("#"):
            return f'{match[1]}="{html.escape(address(page, edition, site_url) + url)}"'
        full = posixpath.normpath(posixpath.join(page if page.endswith("/") else posixpath.dirname(page), url))
        full += "/" if url.partition("#")[0].endswith("/") else ""
        return f'{match[1]}="{html.escape(address(full, edition, site_url))}"'

    def plain(match: re.Match[str]) -> str:
        return _ADDRESS.sub(absolute, _PRESENTATION.sub("", match[0]))

    return _TAG.sub(plain, text).replace("#only-light", "").strip()
