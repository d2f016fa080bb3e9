"""Quotations must be found in the notes: words in quotation marks claim that somebody said exactly them.

A quotation of four or more words, or a block quote, is looked up in the post's notes and must stand there word for
word; white space, typographic quotes, emphasis and case at the start are no difference, and "…" or "[…]" may leave
something out. Titles of the bibliography may be quoted. Shorter ones are scare quotes and names. What the author
imagines somebody saying stands in the author's own notes and so passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache

from pipeline.checks.subject import Subject
from pipeline.finding import Finding
from pipeline.markdown import Block, parse

WORDS = 4
# Double marks of any style; single ones are apostrophes too often, so only typographic pairs around whole words count.
QUOTED = re.compile(r"[\"“„«]([^\"“”„«»]+)[\"”“»]|(?<!\w)‘([^‘’]*(?:’\w[^‘’]*)*)’(?!\w)")
LEFT_OUT = re.compile(r"\s*(?:\[(?:…|\.\.\.)\]|…|\.\.\.)\s*")


def flat(text: str) -> str:
    """Text for comparison: case, quotes, dashes, emphasis and white space made one."""
    text = re.sub(r"[“”„«»\"]", '"', text)
    text = re.sub(r"[‘’‚`]", "'", text)
    text = re.sub(r"[–—−]", "-", text)
    text = re.sub(r"[*_=]{1,3}(?=\S)|(?<=\S)[*_=]{1,3}", "", text)
    return " ".join(text.split()).lower()


def check(subject: Subject) -> Iterator[Finding]:
    """Quotations and block quotes that stand neither in the notes nor in the bibliography's titles."""
    known = _known(subject.evidence.notes)
    titles = flat(" | ".join(source.title for source in subject.evidence.sources.values()))
    fix = "quote the notes word for word, or say it in your own words without quotation marks"
    for block in subject.document.blocks:
        if block.kind == "quote":
            said = _said(subject, block)
            if said and not _found(said, known, titles):
                message = f"a block quote that is not in the notes{_nearest(said, known)}"
                yield subject.find("quote", "error", block.start, message, fix)
    for sentence_start, text in _paragraphs(subject):
        for match in QUOTED.finditer(text):
            said = match[1] if match[1] is not None else match[2]
            if len(said.split()) < WORDS or _found(said, known, titles):
                continue
            message = f'a quotation that is not in the notes: "{_short(said)}"{_nearest(said, known)}'
            yield subject.find("quote", "error", sentence_start[match.start()], message, fix)


def _paragraphs(subject: Subject) -> Iterator[tuple[list[int], str]]:
    """The prose of each block with where its characters stand. A quotation may run over emphasis and line ends."""
    for block in subject.document.blocks:
        if block.kind not in ("paragraph", "heading", "table_cell", "callout_title"):
            continue
        if any(subject.document.blocks[parent].kind == "quote" for parent in block.parents):
            continue  # a block quote is looked up whole
        text: list[str] = []
        places: list[int] = []
        for span in subject.document.spans_of(block):
            if not span.leaf:
                continue
            if span.kind == "role" and span.data["name"] == "claim":
                piece, start = str(span.data["content"]).partition("|")[2], span.data["at"]
            else:
                piece = {"break": " ", "text": span.text, "math": span.text, "code": span.text}.get(span.kind, "")
                piece, start = (str(span.data["char"]), span.start) if "char" in span.data else (piece, span.start)
            text.append(piece)
            places += [start + i if span.kind == "text" else start for i in range(len(piece))]
        yield places, "".join(text)


@lru_cache(maxsize=32)
def _known(notes: str) -> str:
    """The notes for comparison, block by block, quote markers aside: a line end inside a quotation is no difference."""
    document = parse(notes)
    blocks = (block for block in document.blocks if not block.parents and block.kind != "comment")
    return flat("\n".join(re.sub(r"(?m)^\s*>\s?", "", document.text[b.start : b.end]) for b in blocks))


def _said(subject: Subject, block: Block) -> str:
    """A block quote's own words: markers and a closing line that names its source left out."""
    lines = [re.sub(r"^\s*>\s?", "", line) for line in subject.document.text[block.start : block.end].split("\n")]
    kept = [line for line in lines if not re.match(r"\s*(?:[-–—]{1,2}\s*\S|\{cite\})", line)]
    return re.sub(r"\{cite\}`[^`]*`", "", "\n".join(kept)).strip()


def _found(said: str, known: str, titles: str) -> bool:
    parts = [flat(part).strip(" .,;:!?\"'") for part in LEFT_OUT.split(said)]
    at = 0
    for part in parts:
        at = known.find(part, at)
        if at < 0:
            return len(parts) == 1 and parts[0] in titles
        at += len(part)
    return True


def _nearest(said: str, known: str) -> str:
    """The passage of the notes that is nearest, where one is near: a word was changed."""
    words = flat(said).split()
    anchor = max(
        (w for w in words if len(w) > 4), key=lambda w: -known.count(w) if known.count(w) else -999, default=""
    )
    best, score = "", 0.75
    for match in re.finditer(re.escape(anchor), known) if anchor and anchor in known else ():
        before = flat(said).index(anchor)
        begin = max(0, match.start() - before)
        passage = known[begin : begin + len(flat(said))]
        ratio = SequenceMatcher(None, passage, flat(said), autojunk=False).ratio()
        if ratio > score:
            best, score = passage, ratio
    return f'; they say "{_short(best)}"' if best else ""


def _short(text: str, width: int = 90) -> str:
    one = " ".join(text.split())
    return one if len(one) <= width else one[: width - 1] + "…"
