"""What is done to a text before any merge: it is cut into words, and words into bytes.

A word here is what GPT-2's pattern finds: letters, digits or signs with the space before them. No token ever crosses
from one word into the next, which is what makes training and encoding fast: both look at each distinct word once.

Cutting goes in two steps. A *unit* is blanks followed by everything up to the next blank. The end of a unit is always
the end of a word, so the costly pattern is asked only once for each distinct unit, and the cheap one for the text.
Words are bytes in UTF-8; bytes that are no UTF-8 travel as Python's surrogate escapes, so that any file survives.

Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.2, and the code released with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import regex

Split = Literal["gpt2", "blank", "line"]
"""How texts are cut: by GPT-2's pattern, before every blank, or only after every line."""

PATTERNS: Mapping[Split, regex.Pattern[str]] = {
    "gpt2": regex.compile(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"),
    "blank": regex.compile(r"\s*\S+|\s+"),
    "line": regex.compile(r"[^\n]*\n|[^\n]+"),
}
# Python counts four control characters as blank that the pattern's Unicode property does not.
UNITS: Mapping[Split, re.Pattern[str]] = {
    "gpt2": re.compile(r"[^\S\x1c-\x1f]*[\S\x1c-\x1f]+|[^\S\x1c-\x1f]+"),
    "blank": re.compile(r"[^\S\x1c-\x1f]*[\S\x1c-\x1f]+|[^\S\x1c-\x1f]+"),
    "line": re.compile(r"[^\n]*\n|[^\n]+"),
}

# Bytes in the order of GPT-2's vocabulary: first those that print, as themselves, then the rest.
PRINTING = (*range(33, 127), *range(161, 173), *range(174, 256))
ALPHABET = (*PRINTING, *(b for b in range(256) if b not in PRINTING))
BYTE_ID: Mapping[int, int] = {b: i for i, b in enumerate(ALPHABET)}
_VISIBLE = {b: chr(b) if b in PRINTING else chr(256 + BYTE_ID[b] - len(PRINTING)) for b in ALPHABET}
_BYTE = {character: b for b, character in _VISIBLE.items()}


def to_bytes(text: str) -> bytes:
    """UTF-8, with surrogate escapes for the bytes that were none."""
    return text.encode("utf-8", "surrogateescape")


def to_text(data: bytes) -> str:
    """Inverse of `to_bytes`, for any bytes."""
    return data.decode("utf-8", "surrogateescape")


def visible(data: bytes) -> str:
    """One printing character a byte, as GPT-2's vocabulary files write them (a space is Ġ)."""
    return "".join(map(_VISIBLE.__getitem__, data))


def from_visible(text: str) -> bytes:
    """Inverse of `visible`. Raises KeyError for a character outside the alphabet."""
    return bytes(map(_BYTE.__getitem__, text))


def units(text: str, split: Split = "gpt2") -> list[str]:
    """The text in pieces whose ends are ends of words; joined, they are the text."""
    return UNITS[split].findall(text)


def words(text: str, split: Split = "gpt2") -> list[str]:
    """The text in words; joined, they are the text."""
    found: list[str] = PATTERNS[split].findall(text)
    return found


def count_words(texts: Iterable[str], split: Split = "gpt2") -> Counter[str]:
    """How often each word occurs in the texts, in the order of first sight."""
    seen: Counter[str] = Counter()
    for text in texts:
        seen.update(UNITS[split].findall(text))
    counts: Counter[str] = Counter()
    for unit, n in seen.items():
        for word in words(unit, split):
            counts[word] += n
    return counts


def as_bytes(counts: Mapping[str, int]) -> tuple[list[bytes], list[int]]:
    """Words as bytes, and how often each occurs."""
    return [to_bytes(word) for word in counts], list(counts.values())


def lines(texts: Iterable[str]) -> list[str]:
    """All lines of the texts, each with its end."""
    return [line for text in texts for line in text.splitlines(keepends=True)]


def encoded_size(texts: Sequence[str]) -> int:
    """Bytes of the texts in UTF-8."""
    return sum(len(to_bytes(text)) for text in texts)
