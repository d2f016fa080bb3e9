"""Python-Markdown extension: what a post's text gains while the site is built, by any builder on Python-Markdown.

- A value (`<data class="kf-value">`) becomes a link to its row in "How this was measured", so that its origin is one
  step away by keyboard, touch and without scripts; rows get the addresses for that.
- A line of code that is named (`experiments/….py:41`, a listing's title) links to that line.
- A table stands in a box of its own that scrolls. Material's script boxes tables that have no class: they then leave
  the page and come back, formulas and all, half of what a long post costs a phone; without scripts none would scroll.
- A table whose corner is empty names its rows in the first column: those cells become row headings.
- The first use of a glossary term links to the glossary and carries its meaning.

The page's words stay as they are. Options: `code` maps files to the docs pages that show them, `terms` terms to
meanings, `glossary` is the docs page of the glossary; by default all are empty and only values are linked.
"""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from markdown.util import STX, AtomicString

from pipeline.site.terms import anchor, is_ordinary, pattern, plain, stem

MEASURED = "how-this-was-measured"
_TITLE = "How this was measured"
_VALUE = re.compile(r'<data class="kf-value"[^>]*?\bdata-key="(?P<key>[^"]*)"[^>]*>')
_STASHED = re.compile(rf"{STX}wzxhzdk:(\d+)")
_FILENAME = re.compile(r'<span class="filename">(?P<file>[^<,]+\.py), lines (?P<first>\d+)–(?P<last>\d+)</span>')
_PLACE = re.compile(r"(?P<file>[\w./-]+\.py):(?P<line>\d+)\s*\Z")
_POST = re.compile(r"(?:scientist|manager)/posts/[^/]+\.md")
_ROLES = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "th": "columnheader", "td": "cell"}
_NO_TERMS = frozenset("a code pre h1 h2 h3 h4 h5 h6 th summary figcaption button".split())


class _ProseTreeprocessor(Treeprocessor):
    def __init__(self, md: Markdown, options: Mapping[str, Any]) -> None:
        super().__init__(md)
        self.code: Mapping[str, str] = options["code"]
        self.terms: Mapping[str, str] = options["terms"]
        self.glossary: str = options["glossary"]
        self.plain = [term for term in self.terms if not is_ordinary(term)]
        self.stems = {term: stem(term) for term in self.plain}
        self.any_term = re.compile("|".join(f"({pattern(t)})" for t in self.plain), re.I) if self.plain else None
        self.emphasised = {term: re.compile(pattern(term), re.I) for term in self.terms if is_ordinary(term)}

    def run(self, root: Element) -> None:
        page = self._page()
        rows = self._measured(root, page)
        self._values(rows)
        self._listings(root, page)
        _close_up(root)
        if self.terms and _POST.fullmatch(page):
            self._gloss(root, page)
        _head_rows(root)
        _box_tables(root)

    def _page(self) -> str:
        """The page below the docs folder: MkDocs leaves it with its link processor, Zensical with a preprocessor.

        A post where nobody says, as in a test: only posts have values and listings.
        """
        processors = (*self.md.treeprocessors, *self.md.preprocessors)
        known = [getattr(getattr(each, "file", None), "src_uri", None) for each in processors]
        known += [getattr(getattr(each, "page", None), "path", None) for each in processors]
        return next((str(name) for name in known if name), "scientist/posts/post.md")

    # values and where they come from

    def _measured(self, root: Element, page: str) -> set[str]:
        """Give the appendix and its rows their addresses; returns those."""
        found = set()
        for fold in root.iter("details"):
            summary = fold.find("summary")
            if summary is None or "".join(summary.itertext()).strip() != _TITLE:
                continue
            fold.set("id", MEASURED)
            found.add(MEASURED)
            for row in fold.iter("tr"):
                cells = row.findall("td")
                codes = cells[1].findall("code") if len(cells) == 3 else []
                if not codes:
                    continue
                name = f"fact-{codes[-1].text}"
                row.set("id", name)
                found.add(name)
                self._link_place(cells[2], page)
            for part in fold.iter():  # said again, since on a phone the rows are no table for the eye
                if role := _ROLES.get(part.tag):
                    part.set("role", role)
        return found

    def _link_place(self, cell: Element, page: str) -> None:
        match = _PLACE.search(cell.text or "")
        if match and match["file"] in self.code and not len(cell):
            cell.text = (cell.text or "")[: match.start()]
            link = SubElement(cell, "a", {"href": self._code(match["file"], match["line"], page)})
            link.text = AtomicString(match[0])

    def _code(self, file: str, line: str, page: str) -> str:
        return f"{posixpath.relpath(self.code[file], posixpath.dirname(page))}#L{line}"

    def _values(self, rows: set[str]) -> None:
        """Values stand as raw HTML in the stash: their tags get the link around them there."""
        opened = False
        stash = self.md.htmlStash.rawHtmlBlocks
        for number, raw in enumerate(stash):
            if not isinstance(raw, str):
                continue
            match = _VALUE.fullmatch(raw)
            if match:
                name = f"fact-{html.unescape(match['key'])}"
                target = name if name in rows else MEASURED if MEASURED in rows else ""
                opened = bool(target)
                if opened:
                    stash[number] = f'<a class="kf-origin" href="#{quote(target)}">{raw}'
            elif raw == "</data>" and opened:
                stash[number] = "</data></a>"
                opened = False

    # listings

    def _listings(self, root: Element, page: str) -> None:
        """A listing's title becomes a link to the file, where the site shows it."""
        for parent in root.iter():
            for place, child in reversed(list(enumerate(parent))):
                match = _STASHED.match(child.text or "") if child.tag == "p" and not len(child) else None
                raw = self.md.htmlStash.rawHtmlBlocks[int(match[1])] if match else None
                named = _FILENAME.search(raw) if isinstance(raw, str) else None
                if named is None or match is None or named["file"] not in self.code:
                    continue
                assert isinstance(raw, str)
                self.md.htmlStash.rawHtmlBlocks[int(match[1])] = raw.replace(named[0], "")
                title = Element("p", {"class": "kf-file"})
                link = SubElement(title, "a", {"href": self._code(named["file"], named["first"], page)})
                link.text = AtomicString(f"{named['file']}, lines {named['first']}–{named['last']}")
                parent.insert(place, title)

    # the glossary

    def _gloss(self, root: Element, page: str) -> None:
        """Link the first use of each term, outside headings, links, code and captions."""
        seen: set[str] = set()
        for element in list(_readable(root)):
            if element.tag in ("em", "strong"):
                for term, form in self.emphasised.items():
                    if term not in seen and not len(element) and form.fullmatch(element.text or ""):
                        seen.add(term)
                        link = self._term(term, element.text or "", page)
                        element.text = ""
                        element.append(link)
            if element.text:
                element.text, inserted = self._split(element.text, seen, page)
                for offset, link in enumerate(inserted):
                    element.insert(offset, link)
            for child in list(element):
                if child.tail and child.get("class") != "kf-term":
                    child.tail, inserted = self._split(child.tail, seen, page)
                    at = list(element).index(child) + 1
                    for offset, link in enumerate(inserted):
                        element.insert(at + offset, link)

    def _split(self, text: str, seen: set[str], page: str) -> tuple[str, list[Element]]:
        """The text up to the first new term, and an element (with what follows it) for each new term."""
        if isinstance(text, AtomicString) or self.any_term is None:
            return text, []
        quick = plain(text)
        if not any(root in quick for term, root in self.stems.items() if term not in seen):
            return text, []  # most texts, and the long pattern would take its time to say so
        links: list[Element] = []
        head = ""
        start = 0
        for match in self.any_term.finditer(text):
            term = self.plain[(match.lastindex or 1) - 1]
            if term in seen or self._inside_raw(text[: match.start()]):
                continue
            seen.add(term)
            before = text[start : match.start()]
            if links:
                links[-1].tail = before
            else:
                head = before
            links.append(self._term(term, match[0], page))
            start = match.end()
        if not links:
            return text, []
        links[-1].tail = text[start:]
        return head, links

    def _inside_raw(self, before: str) -> bool:
        """Whether raw HTML that may hold no link (a value, a link) is still open at the end of `before`."""
        last = [*_STASHED.finditer(before)]
        raw = self.md.htmlStash.rawHtmlBlocks[int(last[-1][1])] if last else ""
        return isinstance(raw, str) and bool(re.match(r"<(?:a|data|button)\b", raw)) and not raw.endswith("</a>")

    def _term(self, term: str, words: str, page: str) -> Element:
        target = f"{posixpath.relpath(self.glossary, posixpath.dirname(page))}#{anchor(term)}"
        link = Element("a", {"class": "kf-term", "href": target, "title": self.terms[term]})
        link.text = AtomicString(words)
        return link


def _head_rows(root: Element) -> None:
    """Rows are named by their first cell where the column over it has no name: say so to who does not see the table."""
    for table in root.iter("table"):
        corner = table.find("thead/tr/th")
        if corner is None or len(corner) or (corner.text or "").strip():
            continue
        corner.tag = "td"
        for row in table.iterfind("tbody/tr"):
            if len(row):
                row[0].tag = "th"
                row[0].set("scope", "row")


def _box_tables(root: Element) -> None:
    """The boxes that Material's style sheet knows, around tables of our own class."""
    for parent in list(root.iter()):
        for place, table in enumerate(parent):
            if table.tag == "table" and not table.get("class"):
                table.set("class", "kf-table")
                box = Element("div", {"class": "md-typeset__scrollwrap"})
                SubElement(box, "div", {"class": "md-typeset__table"}).append(table)
                box.tail, table.tail = table.tail, None
                parent[place] = box


def _close_up(root: Element) -> None:
    """A reference mark stands against its word, not alone on the next line."""
    for parent in root.iter():
        before: Element | None = None
        for child in parent:
            if child.tag == "sup" and child.get("id", "").startswith("fnref"):
                if before is None:
                    parent.text = (parent.text or "").rstrip(" ")
                else:
                    before.tail = (before.tail or "").rstrip(" ")
            before = child


def _readable(element: Element) -> Iterator[Element]:
    """Elements whose text is prose, in reading order."""
    if element.tag in _NO_TERMS or element.get("class") in ("footnote", "arithmatex"):
        return
    if element.tag == "details" and element.get("id") == MEASURED:
        return
    yield element
    for child in element:
        yield from _readable(child)


class ProseExtension(Extension):
    """Registers the processor after formulas (7), before the table of contents (5) and the builder's links (0)."""

    def __init__(self, **options: Any) -> None:
        self.config = {
            "code": [{}, "files by name, with the docs page that shows each"],
            "terms": [{}, "terms of the glossary, with their meanings"],
            "glossary": ["", "the docs page of the glossary"],
        }
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (Python-Markdown's name)
        """Python-Markdown's hook."""
        md.treeprocessors.register(_ProseTreeprocessor(md, self.getConfigs()), "forge-prose", 6)


def makeExtension(**options: Any) -> ProseExtension:  # noqa: N802 (Python-Markdown's name)
    """Python-Markdown's entry point."""
    return ProseExtension(**options)
