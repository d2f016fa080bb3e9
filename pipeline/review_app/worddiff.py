"""What changed between two texts, by words: unchanged paragraphs are counted, changed ones shown piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from pipeline.merge import paragraphs

TOKEN = re.compile(r"\{\w+\}(`+)[^`].*?\1|\w+(?:['’.-]\w+)*|\s+|[^\w\s]", re.S)
"""A role is one word: its key changes as a whole."""


@dataclass(frozen=True)
class Piece:
    """A stretch of text that stayed, went or came."""

    kind: Literal["same", "del", "ins"]
    text: str


@dataclass(frozen=True)
class Passage:
    """Neighbouring paragraphs: `skipped` of them unchanged, or the pieces of a changed stretch."""

    skipped: int = 0
    pieces: tuple[Piece, ...] = ()


def word_diff(old: str, new: str) -> tuple[Piece, ...]:
    """The pieces that lead from `old` to `new`: without insertions they join to `old`, without deletions to `new`."""
    a, b = ([match.group() for match in TOKEN.finditer(text)] for text in (old, new))
    pieces: list[Piece] = []
    for tag, i, j, k, l in SequenceMatcher(a=a, b=b, autojunk=False).get_opcodes():
        gone, come = "".join(a[i:j]), "".join(b[k:l])
        if tag == "equal":
            pieces.append(Piece("same", gone))
            continue
        pieces += [Piece("del", gone)] * bool(gone) + [Piece("ins", come)] * bool(come)
    return tuple(_without_islands(pieces))


def _without_islands(pieces: list[Piece]) -> Iterator[Piece]:
    """A blank that stayed between two changed words reads better as part of the change."""
    held: dict[str, str] = {"del": "", "ins": ""}

    def flush() -> Iterator[Piece]:
        yield from (Piece(kind, held[kind]) for kind in ("del", "ins") if held[kind])
        held.update({"del": "", "ins": ""})

    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        if piece.kind != "same":
            held[piece.kind] += piece.text
        elif piece.text.isspace() and "\n" not in piece.text and any(held.values()) and not last:
            held["del"] += piece.text
            held["ins"] += piece.text
        else:
            yield from flush()
            yield piece
    yield from flush()


def passages(old: str, new: str) -> list[Passage]:
    """The whole comparison, paragraph by paragraph. Empty where the texts are equal up to blank lines."""
    a, b = paragraphs(old), paragraphs(new)
    found: list[Passage] = []
    for tag, i, j, k, l in SequenceMatcher(a=a, b=b, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Passage(skipped=j - i))
        else:
            found.append(Passage(pieces=word_diff("\n\n".join(a[i:j]), "\n\n".join(b[k:l]))))
    return found if any(passage.pieces for passage in found) else []
