"""Three-way merge by paragraph: a person's edits survive a new draft.

`base` is what the writer last produced, `mine` the person's text, `new` the writer's next version. Paragraphs (blocks
between blank lines; fenced code, front matter and callouts stay whole) that only one side changed take that side's
text. Where both changed the same place differently, both texts are kept: the person's in place, the writer's beside
it under a `{todo}` role, which blocks approval until a person has chosen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
CONFLICT = "{todo}`the writer changed this place too: choose one of the two texts and delete this line and the other`"


@dataclass(frozen=True)
class Conflict:
    """A place both sides changed: the person's paragraphs and the writer's."""

    mine: str
    new: str


@dataclass(frozen=True)
class Merged:
    """The merged text, the conflicts left in it, and how many of the person's changed places were kept."""

    text: str
    conflicts: tuple[Conflict, ...]
    kept_edits: int


def paragraphs(text: str) -> list[str]:
    """Split into paragraphs without their separating blank lines; joining with a blank line restores the text.

    A fence, `$$` block or YAML front matter is one paragraph whatever blank lines it holds.
    """
    blocks: list[list[str]] = []
    current: list[str] = []
    closing = ""
    lines = text.strip("\n").split("\n")
    for number, line in enumerate(lines):
        if closing:
            current.append(line)
            if line.strip() == closing or (closing[0] in "`~" and line.strip().startswith(closing)):
                closing = ""
            continue
        if not line.strip():
            if current:
                blocks.append(current)
                current = []
            continue
        current.append(line)
        fence = FENCE.match(line)
        if fence:
            closing = fence.group(1)
        elif line.strip() == "$$":
            closing = "$$"
        elif number == 0 and line.rstrip() == "---":
            closing = "---"
    if current:
        blocks.append(current)
    return ["\n".join(block) for block in blocks]


def _changes(base: Sequence[str], other: Sequence[str]) -> list[tuple[int, int, list[str]]]:
    """Edits that turn `base` into `other`, as (start, end, replacement) over base positions."""
    matcher = SequenceMatcher(a=base, b=other, autojunk=False)
    return [(a, b, list(other[c:d])) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]


def merge(base: str, mine: str, new: str) -> Merged:
    """Merge the person's text and the writer's new text over their common base."""
    if mine == base:
        return Merged(new, (), 0)
    if new in (base, mine):
        return Merged(mine, (), len(_changes(paragraphs(base), paragraphs(mine))))
    origin = paragraphs(base)
    left, right = _changes(origin, paragraphs(mine)), _changes(origin, paragraphs(new))
    out: list[str] = []
    conflicts: list[Conflict] = []
    position = kept = 0
    while left or right:
        start = min(change[0] for change in (left[:1] + right[:1]))
        end = start
        ours: list[tuple[int, int, list[str]]] = []
        theirs: list[tuple[int, int, list[str]]] = []
        while True:  # grow the region until no change of either side reaches into it
            if left and (left[0][0] < end or left[0][0] == start or (left[0][0] == end and _touches(left[0], theirs))):
                ours.append(left.pop(0))
                end = max(end, ours[-1][1])
            elif right and (
                right[0][0] < end or right[0][0] == start or (right[0][0] == end and _touches(right[0], ours))
            ):
                theirs.append(right.pop(0))
                end = max(end, theirs[-1][1])
            else:
                break
        out.extend(origin[position:start])
        position = end
        mine_text = _apply(origin, start, end, ours)
        new_text = _apply(origin, start, end, theirs)
        if not theirs or mine_text == new_text:
            out.extend(mine_text)
            kept += bool(ours)
        elif not ours:
            out.extend(new_text)
        else:
            kept += 1
            conflicts.append(Conflict("\n\n".join(mine_text), "\n\n".join(new_text)))
            out.extend([*mine_text, CONFLICT, *new_text])
    out.extend(origin[position:])
    return Merged("\n\n".join(out) + "\n", tuple(conflicts), kept)


def _touches(change: tuple[int, int, list[str]], others: Sequence[tuple[int, int, list[str]]]) -> bool:
    """Two insertions at one place, or an insertion at the edge of a replaced region, concern the same place."""
    start, end, _ = change
    return any(start == other[1] and (start == end or other[0] == other[1]) for other in others)


def _apply(origin: Sequence[str], start: int, end: int, changes: Sequence[tuple[int, int, list[str]]]) -> list[str]:
    out: list[str] = []
    position = start
    for first, last, replacement in changes:
        out.extend(origin[position:first])
        out.extend(replacement)
        position = last
    out.extend(origin[position:end])
    return out
