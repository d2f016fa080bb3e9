"""The eight parts of a study note or lecture, found by the words of their headings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.markdown import Section
from pipeline.vault import Note, plain_heading


@dataclass(frozen=True, slots=True)
class StudyPart:
    """One of the eight parts of a study note: its name in `PARTS`, its heading as written, and its section."""

    name: str
    title: str
    section: Section


PARTS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "set-up": r"\bset ?up\b|\bwhat problem\b|\bthe problem\b",
        "intuition": r"\bintuiti",
        "maths": r"\bmaths?\b|\bmathematics\b|\bderivations?\b|\brunning commentary\b",
        "code": r"\bcode\b|\bimplementation\b",
        "gotchas": r"\bgotchas?\b|\bpitfalls?\b|\bget stuck\b|\bgot stuck\b|\bwhat went wrong\b",
        "paper-trail": r"\bpaper trail\b|\bpapers\b|\bfurther reading\b|\bworked this out\b",
        "when-to-use": r"\bwhen (?:to|not to|should|would|do|does)\b.*\buse\b|\bwhen to\b|\bapplications?\b",
        "exercises": r"\bexercises?\b|\bproblems to\b|\btry it\b",
    }.items()
}
"""The eight parts of a study note, by the words their headings are known from (lower case, no punctuation)."""


def study_parts(note: Note) -> tuple[StudyPart, ...]:
    """The parts a study note has, in its order. Of several headings that fit, the highest, then the first counts."""
    found: dict[int, StudyPart] = {}
    for name, pattern in PARTS.items():
        fitting = [s for s in note.sections if s.start not in found and pattern.search(plain_heading(s.title))]
        if fitting:
            section = min(fitting, key=lambda s: (s.level, s.start))
            found[section.start] = StudyPart(name, section.title, section)
    return tuple(found[start] for start in sorted(found))


def written_parts(note: Note) -> tuple[StudyPart, ...]:
    """The parts that hold more than headings, comments and boxes to tick."""
    return tuple(
        part for part in study_parts(note) if _says_something(note.text[part.section.start : part.section.end])
    )


def _says_something(text: str) -> bool:
    bare = re.sub(r"%%.*?%%|<!--.*?-->", "", text, flags=re.DOTALL)
    lines = (line.strip() for line in bare.splitlines())
    return any(line and not line.startswith("#") and not re.fullmatch(r"[-*+]\s*(\[.\])?\s*", line) for line in lines)
