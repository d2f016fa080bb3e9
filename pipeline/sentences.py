"""Where the sentences of a paragraph begin and end.

Rules for English technical prose, not a model: abbreviations ("e.g.", "Fig. 3"), initials ("S. Barto"), decimals and
ellipses do not end a sentence. Code, mathematics and roles are passed in as `HOLE` characters.
"""

from __future__ import annotations

import re

HOLE = "\ufffc"
"""Stands for something that is not prose; a sentence may begin or end with one."""

_END = re.compile(r"(?:\.{1,3}|[!?…])[.!?…]*[\"'”’»)\]]*(?=\s)")
_NEXT = re.compile(rf"\s+[\"'“‘«(\[]*(?:[^\W_a-z]|{HOLE})")


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Nearly always followed by the rest of the sentence.
_NEVER_LAST = _words(
    "e.g i.e cf vs viz ca approx resp w.r.t s.t a.k.a al eq eqs fig figs sec secs ch chs thm lem cor def prop alg "
    "tab vol pp p ed eds mr mrs ms dr prof st jr sr incl"
)
# Abbreviations before a number only: "no. 3", "ex. 4.1".
_BEFORE_NUMBER = _words("no nos ex app par art jan feb mar apr jun jul aug sep sept oct nov dec")
# An initial followed by one of these was the end of its sentence: "plan B. The rest".
_OPENERS = _words(
    "a an and as at but by for from here how if in it its no not now of on one our so such that the their then there "
    "these they this those to we what when where which while why with you your"
)
_WORD_BEFORE = re.compile(r"[\w.&-]+$")
_WORD_AFTER = re.compile(r"\W*(\w+)")


def split(text: str) -> list[tuple[int, int]]:
    """The sentences of `text` as (start, end) offsets, without the white space around them."""
    ranges, begin = [], 0
    for match in _END.finditer(text):
        if _NEXT.match(text, match.end()) and not _continues(text, begin, match):
            ranges.append((begin, match.end()))
            begin = match.end()
    ranges.append((begin, len(text)))
    trimmed = []
    for start, end in ranges:
        piece = text[start:end]
        start += len(piece) - len(piece.lstrip())
        end -= len(piece) - len(piece.rstrip())
        if end > start:
            trimmed.append((start, end))
    return trimmed


def _continues(text: str, begin: int, match: re.Match[str]) -> bool:
    """Whether the full stop at `match` belongs to an abbreviation or an initial."""
    if not match[0].startswith(".") or match[0].startswith(".."):
        return False
    before = _WORD_BEFORE.search(text[max(begin, match.start() - 24) : match.start()])
    if not before:
        return False
    word = before[0]
    after = _WORD_AFTER.match(text, match.end())
    following = after[1] if after else ""
    if word.casefold() in _NEVER_LAST:
        return True
    if word.casefold() in _BEFORE_NUMBER:
        return following[:1].isdigit()
    letters = word.split(".")
    if all(len(letter) == 1 and letter.isalpha() and letter.isupper() for letter in letters):
        return word != "I" and following.casefold() not in _OPENERS and following[:1].isalpha()
    return False
