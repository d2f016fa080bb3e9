"""Texts of the plan as Markdown: what a property says, shown as plain words whatever characters it holds."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator
from functools import cache

from pipeline.plan import Topic
from pipeline.site.generated import escaped

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LABELS = {"in-progress": "in progress"}

COMMENT = re.compile(r"%%.*?(?:%%|\Z)|<!--.*?(?:-->|\Z)", re.S)
_WIKILINK = re.compile(r"!?\[\[(?:[^\[\]|\n]*\|)?([^\[\]|\n]*)\]\]")


def said(text: str) -> str:
    """A property's text as a reader may see it: without comments, links as their words, blanks as single ones.

    A comment without an end hides the rest: better to lose a text than to leak one.
    """
    return " ".join(_WIKILINK.sub(r"\1", COMMENT.sub("", text)).split())


@cache
def plain(text: str) -> str:
    """A property's text as Markdown that shows it unchanged, in a list, a table or a paragraph alike."""
    out = escaped(said(text)).replace("|", "&#124;").replace("==", "&#61;&#61;")
    if out[:1] in tuple("-+>!?:=~"):  # would open a list, a quotation, an admonition or a definition
        out = f"&#{ord(out[0])};{out[1:]}"
    return re.sub(r"^(\d+)([.)])", lambda number: f"{number[1]}&#{ord(number[2])};", out)


@cache
def titled(text: str) -> str:
    """A source's title as Markdown; mathematics between dollars is left to be set."""
    pieces = re.split(r"(\$[^$]+\$)", said(text))
    return "".join(p if p.startswith("$") and len(p) > 1 else plain(p) if p.strip() else p for p in _spaced(pieces))


def _spaced(pieces: list[str]) -> Iterator[str]:
    """The pieces between formulas with the blanks at their ends apart, which `plain` would take away."""
    for piece in pieces:
        if piece.startswith("$") and len(piece) > 1:
            yield piece
        else:
            yield from re.split(r"(^ +| +$)", piece)


def link(words: str, target: str) -> str:
    """A Markdown link to a page of the site; `words` are Markdown already."""
    return f"[{words}]({target})"


def web(words: str, address: str) -> str:
    """A Markdown link to an address of the web; the words alone for anything else, such as a script."""
    if not re.match(r"https?://", address):
        return words
    address = re.sub(r"[<>\s\"\\|]", lambda sign: f"%{ord(sign[0]):02X}", address)
    return f"[{words}](<{address}>)"


def status(state: str) -> str:
    """A status as a label."""
    return f'<span class="kf-state kf-state--{state.split()[0]}">{LABELS.get(state, state)}</span>'


def day(date: datetime.date) -> str:
    """5 Aug 2025, whatever the locale; it does not break over two lines."""
    return f"{date.day}&nbsp;{MONTHS[date.month - 1]}&nbsp;{date.year}"


def count(number: int, noun: str, plural: str = "") -> str:
    """1 cluster, 2 clusters."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def joined(parts: Iterable[str], between: str = " · ") -> str:
    """The parts that say something, with a mark between."""
    return between.join(part for part in parts if part)


def meta(*parts: str) -> str:
    """A small line of facts below a heading."""
    return f"{joined(parts)}\n{{ .kf-facts }}\n"


def nested(topics: Iterable[Topic], depth: int = 0) -> Iterator[str]:
    """Topics and their parts as a nested list, a line each."""
    for topic in topics:
        yield f"{'    ' * depth}- {plain(topic.name)}"
        yield from nested(topic.parts, depth + 1)


def fold(summary: str, lines: Iterable[str]) -> str:
    """Lines that open on demand; `summary` is plain text."""
    head = summary.replace('"', "'")
    return "\n".join([f'??? kf-more "{head}"\n', *(f"    {line}" if line else "" for line in lines), ""])


def names(topics: Iterable[Topic]) -> str:
    """Topics in a line, what they consist of in brackets."""
    return ", ".join(plain(t.name) + (f" ({names(t.parts)})" if t.parts else "") for t in topics)


def sentence(text: str) -> str:
    """A text as a sentence: with a full stop where it ends without a mark."""
    shown = plain(text)
    return shown if not shown or shown.endswith((".", "!", "?", "…")) else f"{shown}."
