"""A small model's paragraphs held against the notes they were to retell.

A model of a hundred million words' worth of habit answers with what usually follows, and the checks cannot see that a
fluent sentence without a number is made up. Three rules, on purpose stricter than fair: what they refuse is told in
the notes' own words instead.

- `not-in-notes`: fewer than two thirds of a sentence's content words stand in the section's material.
- `against-notes`: a clause says with "not" what the notes' nearest clause says without it, or the reverse.
- `repeated`: a sentence that the same section has said before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline import sentences
from pipeline.finding import Finding
from pipeline.markdown import parse

ENOUGH = 2 / 3  # share of content words that must stand in the material
ALIKE = 0.5  # shared content words of two clauses over all of theirs, from which on they speak of one thing
NEGATION = re.compile(r"\b(?:not|no|never|none|nothing|nobody|neither|nor|without|cannot)\b|n['’]t\b", re.IGNORECASE)
COMMON = frozenset(
    "about above after again also always another because been before being below between both came cannot come could "
    "does doing down during each even ever every from further gets give given goes have having here into itself just "
    "know less like made make makes many more most much must need only other over rather really said same says seem "
    "should show since some such take takes than that their them then there these they thing things this those though "
    "through thus together under until upon used uses very want well were what when where whether which while will "
    "with within without would your first called means mean simply".split()
)


@dataclass(frozen=True)
class Grounds:
    """What a section may be retold from: its content words, and the clauses of its notes with whether they negate."""

    words: frozenset[str]
    said: tuple[tuple[frozenset[str], bool], ...]


def material_of(notes: str, *around: str) -> Grounds:
    """The material in the notes, which may be Markdown, and the words that other texts around them add."""
    said = tuple(clause for sentence in _sentences(notes) for clause in _clauses(sentence))
    words = {word for text in (notes, *around) for sentence in _sentences(text) for word in content_words(sentence)}
    return Grounds(frozenset(words), said)


def ungrounded(text: str, material: Grounds, before: set[str] | None = None) -> Iterator[Finding]:
    """What a paragraph says beyond its material; `before` holds the section's sentences so far, and gets its own."""
    so_far = set() if before is None else before
    for sentence in _sentences(text):
        words = content_words(sentence)
        same = " ".join(sentence.lower().split())
        if same in so_far:
            yield _finding("repeated", "the section has said this before", sentence, "leave it out")
        so_far.add(same)
        if not words:
            continue
        known = sum(word in material.words for word in words)
        if known < ENOUGH * len(words):
            strange = ", ".join(dict.fromkeys(word for word in words if word not in material.words))
            message = f"the notes do not say this (they have no word of: {strange})"
            yield _finding("not-in-notes", message, sentence, "say only what the notes say")
        elif any(_turned(*clause, material) for clause in _clauses(sentence)):
            yield _finding("against-notes", "the notes say the opposite", sentence, "keep what the notes say")


def _finding(check: str, message: str, sentence: str, fix: str) -> Finding:
    return Finding(check, "error", message, sentence=sentence, fix=fix)


def _turned(words: frozenset[str], negated: bool, material: Grounds) -> bool:
    """Whether the nearest clauses of the notes all say it the other way round."""
    scored = [(len(words & said) / len(words | said), not_ is negated) for said, not_ in material.said if words & said]
    best = max((score for score, _ in scored), default=0.0)
    return best >= ALIKE and not any(agrees for score, agrees in scored if score == best)


def _clauses(sentence: str) -> Iterator[tuple[frozenset[str], bool]]:
    """The content words of each clause and whether it negates: a retelling joins and parts sentences as it likes."""
    for clause in re.split(r"[,;:–—]|\b(?:and|but|while)\b", sentence):
        words = frozenset(content_words(clause))
        if len(words) > 1:  # one word is no statement
            yield words, negates(clause)


def content_words(sentence: str) -> list[str]:
    """The words that carry meaning, without their endings; formulas and roles do not count."""
    found = re.findall(r"[a-zà-ÿ]{4,}", sentence.lower())
    return [stem(word) for word in found if word not in COMMON]


def stem(word: str) -> str:
    """A word without its usual endings, so that "forgets" meets "forget"."""
    short = re.sub(r"(?:nesses|ness|ments?|ations?|ings?|edly|ies|ied|ed|es|ly|s|e|y)$", "", word)
    return short if len(short) >= 3 else word


def negates(sentence: str) -> bool:
    """Whether a sentence has an odd number of negations."""
    return len(NEGATION.findall(sentence)) % 2 == 1


def _sentences(text: str) -> Iterator[str]:
    document = parse(text)
    for block in document.blocks:
        if block.kind not in ("paragraph", "table_cell"):
            continue
        prose = "".join(
            span.text if span.kind == "text" else " " if span.kind == "break" else ""
            for span in document.spans_of(block)
            if span.leaf
        )
        for start, end in sentences.split(prose):
            yield prose[start:end]
