"""Three-way merge by paragraph: a person's edits survive a new draft.

`base` is what the writer last produced, `mine` the person's text, `new` the writer's next version. Paragraphs (blocks
between blank lines; fenced code, front matter and callouts stay whole) that only one side changed take that side's
text. Where both changed the same place differently, both texts are kept, between three `{todo}` roles that stand alone
in their paragraphs, survive every Markdown tool and block approval until a person has chosen (`settle`):

    {todo}`conflict: your text`
    …
    {todo}`conflict: the writer's text`
    …
    {todo}`conflict: end`

Properties are merged by key, those of `derived` and `claims` by name; where both changed one, the person's stays and
the writer's is kept under `conflicts`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

FENCE = re.compile(r"\s{0,3}(`{3,}(?=[^`]*$)|~{3,})")
BEGIN, MIDDLE, END = "{todo}`conflict: your text`", "{todo}`conflict: the writer's text`", "{todo}`conflict: end`"
MARKERS = (BEGIN, MIDDLE, END)
KEPT = "conflicts"  # the property that holds the writer's version of properties both sides changed

Keep = Literal["mine", "theirs", "both"]


@dataclass(frozen=True)
class Conflict:
    """A place both sides changed: the person's paragraphs and the writer's.

    `lines` are those of its three markers in the text, 1-based; none where it was not read from a text.
    """

    mine: str
    new: str
    lines: tuple[int, ...] = ()


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
    return [block for block, _ in _placed(text)]


def _placed(text: str) -> list[tuple[str, int]]:
    """The paragraphs and their first lines, 1-based."""
    blocks: list[list[str]] = []
    starts: list[int] = []
    current: list[str] = []
    closing = ""
    skipped = len(text) - len(text.lstrip("\n"))
    lines = text.strip("\n").split("\n")
    for number, line in enumerate(lines):
        if closing:
            current.append(line)
            bare = line.strip()
            if bare == closing or (closing[0] in "`~" and bare.startswith(closing) and not bare.strip(closing[0])):
                closing = ""
            continue
        if not line.strip():
            if current:
                blocks.append(current)
                current = []
            continue
        if not current:
            starts.append(number + 1 + skipped)
        current.append(line)
        fence = FENCE.match(line)
        if fence:
            closing = fence.group(1)
        elif line.strip() == "$$":
            closing = "$$"
        elif number == 0 and line.rstrip() == "---" and "---" in (row.rstrip() for row in lines[1:]):
            closing = "---"
    if current:
        blocks.append(current)
    return [("\n".join(block), start) for block, start in zip(blocks, starts, strict=True)]


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
            out.extend([BEGIN, *mine_text, MIDDLE, *new_text, END])
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


def conflicts(text: str) -> list[Conflict]:
    """The conflicts that wait in a text, in order. One within another's texts is part of it."""
    found = []
    blocks = _placed(text)
    for begin, middle, end in _regions([block for block, _ in blocks]):
        mine = "\n\n".join(block for block, _ in blocks[begin + 1 : middle])
        new = "\n\n".join(block for block, _ in blocks[middle + 1 : end])
        found.append(Conflict(mine, new, (blocks[begin][1], blocks[middle][1], blocks[end][1])))
    return found


def settle(text: str, number: int, keep: Keep) -> str:
    """The text with its conflict `number` (from 0, as `conflicts` lists them) settled. Raises IndexError."""
    blocks = paragraphs(text)
    begin, middle, end = _regions(blocks)[number]
    mine, new = blocks[begin + 1 : middle], blocks[middle + 1 : end]
    chosen = mine if keep == "mine" else new if keep == "theirs" else [*mine, *new]
    return "\n\n".join([*blocks[:begin], *chosen, *blocks[end + 1 :]]) + "\n"


def _regions(blocks: Sequence[str]) -> list[tuple[int, int, int]]:
    """(begin, middle, end) of every complete conflict that lies in no other. Markers that miss another are left."""
    opened: list[list[int]] = []
    found: list[tuple[int, int, int]] = []
    for number, block in enumerate(blocks):
        marker = block.strip()
        if marker == BEGIN:
            opened.append([number])
        elif marker == MIDDLE and opened and len(opened[-1]) == 1:
            opened[-1].append(number)
        elif marker == END and opened and len(opened[-1]) == 2:
            begin, middle = opened.pop()
            found = [region for region in found if region[0] < begin]
            found.append((begin, middle, number))
    return found


def merge_properties(
    base: Mapping[str, Any], mine: Mapping[str, Any], new: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Conflict]]:
    """Front matter by key: what the person changed stays, the rest follows the writer; then the conflicts.

    A property both changed differently keeps the person's value, and the writer's under `conflicts`. A mapping within
    (`derived`, `claims`) is merged by its own keys, named `derived.gap` there.
    """
    merged: dict[str, Any] = {}
    lost: dict[str, Any] = dict(mine.get(KEPT) or {}) if isinstance(mine.get(KEPT), Mapping) else {}
    found = []
    for key in dict.fromkeys([*new, *mine]):
        if key == KEPT:
            continue
        was, his, hers = base.get(key), mine.get(key), new.get(key)
        if isinstance(his, Mapping) and isinstance(hers, Mapping):
            inner, within = merge_properties(was if isinstance(was, Mapping) else {}, his, hers)
            lost |= {f"{key}.{name}": value for name, value in inner.pop(KEPT, {}).items()}
            merged[key] = inner
            found += within
        elif his == was or (key not in mine and key not in base):
            if key in new:
                merged[key] = hers
        else:
            if key in mine:
                merged[key] = his
            if key in new and hers not in (was, his):
                lost[key] = hers
                found.append(Conflict(f"{key}: {his}", f"{key}: {hers}"))
    if lost:
        merged[KEPT] = lost
    return merged, found


def _with(front: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """The properties with one of them, `path` within them, set to a value."""
    inner = front.get(path[0])
    below = _with(inner if isinstance(inner, Mapping) else {}, path[1:], value) if path[1:] else value
    return {**front, path[0]: below}


def settle_property(front: Mapping[str, Any], key: str, keep: Keep) -> dict[str, Any]:
    """Properties with the conflict over one of them settled (`both` is no answer here and keeps the person's)."""
    settled = {name: value for name, value in front.items() if name != KEPT}
    left = {name: value for name, value in front[KEPT].items() if name != key}
    if keep == "theirs":
        settled = _with(settled, key.split("."), front[KEPT][key])
    return {**settled, KEPT: left} if left else settled
