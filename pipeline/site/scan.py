"""Scanning a built site: nothing is loaded from another host, and every link inside it leads somewhere."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.finding import Finding

_LOADING_TAG = re.compile(
    r"<(?:link|script|img|source|iframe|video|audio|embed|object|track|input|image|use|feImage)\b[^>]*>", re.I
)
_SIGN = re.compile(r"//|&")
"""What an address of another host has in it: its slashes, or a sign that stands for one."""
_ATTRIBUTE = re.compile(r"""\b(src|href|xlink:href|srcset|data|poster)\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)""", re.I)
_REL = re.compile(r"""\brel\s*=\s*["']?([\w -]+)""", re.I)
_CSS_URL = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""", re.I)
_URL_OPENS = re.compile(r"""\s*(?:['"]|&quot;|&\#3[49];)?\s*(?:[a-z][a-z0-9+.-]*:)?""")
_STYLE = re.compile(r"""<style[^>]*>(.*?)</style>|\bstyle\s*=\s*"([^"]*)\"""", re.I | re.S)
_ELSEWHERE = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.I)
_ANCHOR = re.compile(r"""<(?:a|link|img|script|source)\s(?:[^>]*?\s)?(?:href|src)=("[^"]*"|'[^']*')""")
_ID = re.compile(r"""[ \n](?:id|name)="([^"]*)\"""")  # no \s: this scan is most of the time a large site takes


def scan_external(out: Path, *, name: str = "") -> list[Finding]:
    """Every resource that a built page would load from another host. Links a reader may follow are not such."""
    findings = []
    for path in sorted(out.rglob("*")):
        if path.suffix not in (".html", ".css", ".svg"):
            continue
        text = path.read_text(encoding="utf-8")
        for url in _loaded(text, path.suffix):
            if _ELSEWHERE.match(url):
                findings.append(
                    Finding(
                        "site.external",
                        "error",
                        f"loads {url.strip()} from another host",
                        file=posixpath.join(name, path.relative_to(out).as_posix()),
                        fix="keep a copy under site/assets/ and link that",
                    )
                )
    return findings


def _loaded(text: str, suffix: str) -> Iterator[str]:
    """The addresses that a file of this kind makes a browser fetch, as far as they may be another host's."""
    if suffix == ".css":
        styles = [text]
    else:
        styles = [one or other for one, other in _STYLE.findall(text)] if _styled_elsewhere(text.lower()) else []
        for tag in _suspects(text):
            rel = _REL.search(tag)
            if tag[:5].lower() == "<link" and rel and rel[1].strip() in ("canonical", "prev", "next", "author"):
                continue
            for attribute, value in _ATTRIBUTE.findall(tag):
                value = html.unescape(value.strip("\"'"))
                if attribute.lower() == "srcset":
                    yield from (part.split()[0] for part in value.split(",") if part.strip())
                else:
                    yield value
    for style in styles:
        for first, second in _CSS_URL.findall(style):
            yield first or second


def _styled_elsewhere(text: str) -> bool:
    """Whether a style may name another host; nearly no file's does, and each has a thousand styles. `text` is lower."""
    if "@import" in text:
        return True
    before, at = 0, text.find("//")
    while at >= 0:
        opened = text.rfind("url(", before, at)
        if opened >= 0 and _URL_OPENS.fullmatch(text, opened + 4, at):
            return True
        before, at = at, text.find("//", at + 2)
    return False


def _suspects(text: str) -> Iterator[str]:
    """The tags that load something and may name another host, which nearly none of a figure's thousands does."""
    done = 0
    for sign in _SIGN.finditer(text):
        if sign.start() < done:
            continue
        opened = text.find("<", text.rfind(">", 0, sign.start()) + 1, sign.start())
        if opened >= 0:  # it stands inside a tag, not between two
            done = text.find(">", sign.end()) + 1 or len(text)
            if tag := _LOADING_TAG.search(text, opened, done):
                yield tag[0]


def scan_links(out: Path, *, base: str = "/", name: str = "") -> list[Finding]:
    """Every link inside the built site that leads nowhere: a missing file, or a heading that a page does not have."""
    existing = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    links: dict[str, list[str]] = {}
    ids: dict[str, frozenset[str]] = {}
    for page in sorted(name for name in existing if name.endswith(".html")):
        text = (out / page).read_text(encoding="utf-8")  # one at a time: a large site's pages do not fit in memory
        links[page] = sorted(html.unescape(quoted[1:-1]) for quoted in set(_ANCHOR.findall(text)))
        ids[page] = frozenset(map(html.unescape, _ID.findall(text)))
    known: dict[tuple[str, str], tuple[str, str]] = {}  # most links of a page are those of its neighbours
    findings: list[Finding] = []
    for page, urls in links.items():
        folder = posixpath.dirname(page)
        for url in urls:
            key = (posixpath.dirname(folder) if url.startswith("../") else folder if url[:1] != "#" else page, url)
            if key not in known:
                known[key] = _trouble(page, url, base, existing, ids)
            shown, problem = known[key]
            if problem:
                file = posixpath.join(name, page)
                findings.append(Finding("site.link", "error", f"link {shown} {problem}", file=file))
    return findings


def _trouble(page: str, url: str, base: str, existing: set[str], ids: Mapping[str, frozenset[str]]) -> tuple[str, str]:
    """What is wrong with a link of `page`, and the part of it to show; ("", "") where nothing is."""
    parts = urlsplit(url)
    if parts.scheme or parts.netloc:
        return "", ""
    target = _resolve(page, unquote(parts.path), base, existing)
    if target is None:
        return url.partition("#")[0], "leads to nothing"
    if parts.fragment and target in ids and unquote(parts.fragment) not in ids[target]:
        return url, f"leads to a place that {target} does not have"
    return "", ""


def _resolve(page: str, path: str, base: str, existing: set[str]) -> str | None:
    """The file of a link's path as seen from `page`, or None."""
    if not path:
        return page
    if path.startswith("/"):
        if not (path + "/").startswith(base):
            return None
        full = path[len(base) :]
    else:
        full = posixpath.join(posixpath.dirname(page), path)
    full = posixpath.normpath(full or ".").removeprefix("./")
    if full.startswith(".."):
        return None
    for candidate in (full, "index.html" if full == "." else f"{full}/index.html"):
        if candidate in existing:
            return candidate
    return None
