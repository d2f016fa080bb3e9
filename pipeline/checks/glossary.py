"""Glossary terms in the Manager edition: explained where they first stand, or before.

A term counts as explained when, up to the end of the paragraph of its first use,

- the text calls something by it ("engineers call it the *discount*", "known as …"), or
- an apposition or a sentence says what it is ("a policy: a rule that …", "…, that is …", "a policy is …"), or
- the key words of its glossary sentence have appeared, at least three of them or half.

Words that everybody uses in another sense as well (`ORDINARY`) are terms only where they are emphasised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from pipeline.checks.subject import Subject
from pipeline.finding import Finding

ORDINARY = frozenset(
    "action actions agent backup environment episode exploration head horizon layer model prompt return reward sample "
    "span state step sweep temperature tie token transition value".split()
)
ENOUGH = 3  # key words of the glossary's sentence
STOP = frozenset(
    "that this with from which into what where when have has been being than then them they their there these those "
    "some such only also each every other another same more most less least very much many about after before over "
    "under between without does done will would could should must may might can not its one ones all any".split()
)


def check(subject: Subject) -> Iterator[Finding]:
    """Terms of the glossary that a Manager edition uses without a word on what they mean."""
    if subject.draft.edition != "manager":
        return
    paragraphs = list(_paragraphs(subject))
    for term, meaning in subject.evidence.glossary.items():
        first = next(((n, use) for n, p in enumerate(paragraphs) if (use := _use(term, p)) is not None), None)
        if first is None:
            continue
        number, at = first
        places, text, _ = paragraphs[number]
        so_far = " ".join(t for _, t, _ in paragraphs[: number + 1])
        if not explained(term, meaning, text, so_far):
            message = f"{term} is used here without a word on what it means"
            fix = f"say it in passing: {_first_clause(meaning)}"
            yield subject.find("unexplained-term", "error", places[at], message, fix, term)


Paragraph = tuple[list[int], str, frozenset[int]]


def _paragraphs(subject: Subject) -> Iterator[Paragraph]:
    """Each paragraph's prose, the place of every character, and which of them are emphasised."""
    for block in subject.document.blocks:
        if block.kind not in ("paragraph", "table_cell"):
            continue
        text, places, strong = "", [], set()
        depth = 0
        for span in subject.document.spans_of(block):
            if not span.leaf:
                continue
            piece, start = {"text": span.text, "break": " "}.get(span.kind, ""), span.start
            if span.kind == "marker" and span.data["of"] in ("em", "strong"):
                depth += 1 if span.data["open"] else -1
            elif span.kind == "role" and span.data["name"] == "claim":
                words = str(span.data["content"]).partition("|")[2]
                piece = re.sub(r"\{\w+\}`+[^`]*`+", " ", words)
            if depth > 0:
                strong |= set(range(len(text), len(text) + len(piece)))
            places += [start + (i if span.kind == "text" else 0) for i in range(len(piece))]
            text += piece
        yield places, text, frozenset(strong)


@lru_cache(maxsize=1024)
def _pattern(term: str) -> str:
    """The term or its plural, blanks or hyphens between its words."""
    words = re.escape(term.lower()).replace(r"\ ", "[ -]")
    ending = "(?:y|ies)" if words.endswith("y") else "(?:s|es)?"
    return rf"\b{words.removesuffix('y') if words.endswith('y') else words}{ending}\b"


def _use(term: str, paragraph: Paragraph) -> int | None:
    """Where a paragraph first uses a term, or None."""
    _, text, strong = paragraph
    for match in _mentions(term, text):
        if term.lower() not in ORDINARY or match.start() in strong:
            return match.start()
    return None


@lru_cache(maxsize=65536)
def _mentions(term: str, text: str) -> tuple[re.Match[str], ...]:
    """Where a stretch of prose uses a term."""
    return tuple(re.finditer(_pattern(term), text, re.IGNORECASE))


def explained(term: str, meaning: str, paragraph: str, so_far: str) -> bool:
    """Whether a term is explained in its paragraph or by what was said so far."""
    word = _pattern(term)
    named = rf"\b(?:calls?|called|known as|named?|speaks? of|the word|the name)\b[^.!?]{{0,40}}{word}"
    says_what = r"\s*[:,–—]\s*(?:that is|or|an?|the|which|meaning|in other words)\b"
    defined = rf"{word}(?:\s*\(|{says_what}|\s*:|\s+(?:is|are|means?|says?)\b)"
    apposed = rf"(?:that is|in other words|or),?\s+(?:an?\s+|the\s+)?{word}"
    if any(re.search(p, paragraph, re.IGNORECASE) for p in (named, defined, apposed)):
        return True
    own = {_stem(w) for w in re.findall(r"[a-z]{4,}", term.lower())}
    keys = {_stem(w) for w in re.findall(r"[a-z]{4,}", meaning.lower()) if w not in STOP} - own
    said = {_stem(w) for w in re.findall(r"[a-z]{4,}", so_far.lower())}
    return bool(keys) and len(keys & said) >= min(ENOUGH, (len(keys) + 1) // 2)


def _stem(word: str) -> str:
    """A word without its usual endings, so that "counts" meets "count"."""
    return re.sub(r"(?:ings?|ed|es|s|ly|e)$", "", word) if len(word) > 4 else word


def _first_clause(meaning: str) -> str:
    return re.split(r"[;,.]\s", meaning.strip().rstrip("."))[0]
