"""Where a line of a draft went in the built page: an invisible anchor is put at the block that holds its words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser

BLOCKS = ("p", "li", "h1", "h2", "h3", "h4", "h5", "td", "th", "figcaption", "summary", "dd", "dt")
ROLE = re.compile(r"\{\w+\}(`+)(?P<content>.+?)\1", re.S)


@dataclass
class _Block:
    start: int  # where its content starts
    words: frozenset[str]


class _Reader(HTMLParser):
    """Collects the blocks of the article with their words."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.lines = [0]
        for line in html.split("\n"):
            self.lines.append(self.lines[-1] + len(line) + 1)
        self.blocks: list[_Block] = []
        self.inside = 0
        self.silent = 0
        self.open: list[tuple[str, int, list[str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "article":
            self.inside += 1
        if tag in ("script", "style", "annotation"):
            self.silent += 1
        if self.inside and tag in BLOCKS:
            line, column = self.getpos()
            self.open.append((tag, self.lines[line - 1] + column + len(self.get_starttag_text() or ""), []))

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self.inside -= 1
        if tag in ("script", "style", "annotation"):
            self.silent -= 1
        if self.open and self.open[-1][0] == tag:
            _, start, pieces = self.open.pop()
            self.blocks.append(_Block(start, _words(" ".join(pieces))))

    def handle_data(self, data: str) -> None:
        if self.open and not self.silent:
            self.open[-1][2].append(data)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in re.findall(r"[^\W\d_]{2,}", text))


def spoken(source: str) -> str:
    """A stretch of a draft without its markup: roles give their words, formulas and links go."""
    text = ROLE.sub(lambda role: role["content"].partition("|")[2], source)
    text = ROLE.sub(" ", text)
    return re.sub(r"\$[^$]*\$|\]\([^)]*\)|\{[#.:][^}]*\}|`[^`]*`", " ", text)


def passage_at(text: str, line: int, sentence: str) -> str:
    """The words that stand at a 1-based line of a draft: the sentence, else the line, else what comes before it."""
    lines = text.split("\n")
    for candidate in (sentence, *reversed(lines[: min(line, len(lines))])):
        if len(_words(spoken(candidate))) >= 2:
            return spoken(candidate)
    return ""


def with_anchors(html: str, passages: Mapping[str, str]) -> str:
    """The page with an empty `<a id>` at the start of the block that holds each passage best.

    A passage that no block holds at least half of gets its anchor at the first heading, so that no jump is dead.
    """
    blocks = _Reader(html).blocks
    if not blocks:
        return html
    marks: dict[int, str] = {}
    for anchor, passage in passages.items():
        wanted = _words(passage)
        best = max(blocks, key=lambda block: (len(wanted & block.words), -len(block.words), -block.start))
        at = best.start if wanted and 2 * len(wanted & best.words) >= len(wanted) else min(b.start for b in blocks)
        marks[at] = marks.get(at, "") + f'<a id="{anchor}" class="kf-here"></a>'
    for at in sorted(marks, reverse=True):
        html = html[:at] + marks[at] + html[at:]
    return html
