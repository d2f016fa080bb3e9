"""Numbers typed into prose. A value belongs in a role; what may stand as it is, is listed here with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.checks.subject import Subject
from pipeline.finding import Finding
from pipeline.markdown import parse

# What digits may say outside a role, and why.
ALLOWED: tuple[tuple[str, str], ...] = (
    (r"\b(?:1[89]|20)\d\d(?:s\b|\b)", "a year is no result"),
    (r"\b(?:Python|version|v)\s?\d+(?:\.\d+)*\b", "a version names software"),
    (r"\b(?:chapter|ch\.|section|sec\.|§|part|lecture|week|session|exercise|equation|eq\.|theorem|lemma|figure|table|"
     r"example|step|algorithm|page|p\.|pp\.)\s?\d+(?:[.–-]\d+)*\b", "a number that points into a text"),
    (r"\b[A-Za-z][A-Za-z]*[-+*]?\d+[A-Za-z\d]*\b(?![.,]\d)", "a digit inside a name, such as GPT-2 or A2C"),
)  # fmt: skip
DIGITS = re.compile(
    r"(?:[-+−±~≈<>]\s?)?\d[\d.,]*(?:\s?(?:%|‰|×|x\b|[eE][-+]?\d+))?|[½⅓⅔¼¾⅕⅛²³¹]|\b[0-9]+(?:st|nd|rd|th)\b"
)

WORDS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen half"
).split()
UNITS = (
    "sweep iteration round update backup seed run episode step second minute hour day week millisecond percent "
    "percentage point state cell action token parameter layer head sample trial epoch batch gradient maze grid game "
    "time order win loss reward return mistake error"
).split()
NUMBER_WORD = re.compile(
    rf"\b(?:{'|'.join(WORDS)})(?:[ -](?:{'|'.join(WORDS)}))*(?:[ -]\w+)?[ -](?:{'|'.join(UNITS)})s?\b", re.IGNORECASE
)
MULTIPLIER = re.compile(
    r"\b(?:twice|thrice|doubl(?:e|es|ed|ing)|tripl(?:e|es|ed|ing)|quadrupl(?:e|es|ed|ing)|halv(?:e|es|ed|ing)|"
    r"\w+fold|\w+ times (?:as|more|fewer|less|faster|slower|larger|smaller|better|worse|cheaper|higher|lower|longer|"
    r"shorter)|half (?:as|the|of)|(?:a|one|two) (?:third|quarter|fifth|tenth)s?|orders? of magnitude|"
    r"(?:dozens|hundreds|thousands|millions) of)\b",
    re.IGNORECASE,
)
NOT_FOLD = {"fold", "unfold", "manifold", "blindfold", "scaffold", "enfold", "refold"}


def check(subject: Subject) -> Iterator[Finding]:
    """Digits anywhere in prose; number words and multipliers outside claims; the same in captions of shown figures."""
    for prose in subject.prose():
        for start, text, what in typed_numbers(prose.text, in_claim=bool(prose.in_claim)):
            fix = "name the fact with {val}`key` (`forge facts` lists them), or put the words in a {claim}"
            yield subject.find("typed-number", "error", prose.start + start, f"{what} typed into prose: {text}", fix)
    for key, figure in subject.rendered.figures.items():
        for words in (figure.caption, figure.plain, figure.alt):
            for span in parse(words).spans:
                for _, text, what in typed_numbers(span.text, in_claim=True) if span.kind == "text" else ():
                    file, line = (figure.place.file, figure.place.line) if figure.place else (None, None)
                    message = f"{what} typed into the caption of figure {key}: {text}"
                    yield Finding("typed-number", "error", message, file, line, fix="use {val}`key` there", key=key)


def typed_numbers(text: str, in_claim: bool = False) -> Iterator[tuple[int, str, str]]:
    """(offset, text, kind) of each number typed into a piece of prose. Words are free inside a claim, digits never."""
    masked = text
    for pattern, _ in ALLOWED:
        masked = re.sub(pattern, lambda m: " " * len(m[0]), masked, flags=re.IGNORECASE)
    for match in DIGITS.finditer(masked):
        yield match.start(), text[match.start() : match.end()].strip(), "number"
    if in_claim:
        return
    for match in NUMBER_WORD.finditer(text):
        yield match.start(), match[0], "number word"
    for match in MULTIPLIER.finditer(text):
        if match[0].lower() not in NOT_FOLD:
            yield match.start(), match[0], "multiplier"
