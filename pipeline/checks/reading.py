"""How hard the Manager edition is to read: its Flesch-Kincaid grade must not exceed 10.

The grade (years of school) comes from textstat, which counts syllables with a pronouncing dictionary that it carries;
from 0.7.9 on it would fetch one from the network, so older versions are asked for. Values count as one short word,
names of sources and figures too. Loading the dictionary takes a second: grades are kept in `.forge/reading/` by the
hash of the text, and textstat is imported only for a text not seen before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata

from experiments.kit.files import atomic_write, sha256
from pipeline.checks.subject import Subject
from pipeline.finding import Finding
from pipeline.markdown import Block, Document
from pipeline.project import Project

LIMIT = 10.0
NAMED = 3  # how many of the hardest paragraphs a finding names
SHORT = 20  # words; a shorter paragraph is one hard name away from any grade
STANDS_FOR = {"val": "ten", "fig": "the figure", "cite": "the book"}
VERSIONS = ">=0.7.6,<0.7.9"


@dataclass(frozen=True)
class Grades:
    """The grade of a text and of its paragraphs, in order; None where a paragraph is too short to tell."""

    whole: float
    paragraphs: tuple[float | None, ...]


class NotMeasured(Exception):
    """textstat is missing, or of a version that needs the network."""


def check(subject: Subject) -> Iterator[Finding]:
    """A Manager edition above the limit, with its hardest paragraphs; or that it could not be measured."""
    if subject.draft.edition != "manager":
        return
    blocks = prose_blocks(subject.document)
    texts = [read_aloud(subject.document, block) for block in blocks]
    name = subject.project.relative(subject.draft.path)
    try:
        grades = grades_of(subject.project, texts)
    except NotMeasured as error:
        fix = f'pip install "textstat{VERSIONS}"'
        yield Finding("reading-grade", "warning", f"the reading grade was not measured: {error}", name, fix=fix)
        return
    if grades.whole <= LIMIT:
        return
    ranked = [(g, b) for g, b in zip(grades.paragraphs, blocks, strict=True) if g is not None and g > LIMIT]
    worst = sorted(ranked, key=lambda pair: -pair[0])[:NAMED]
    lines = [(subject.draft.body_line + subject.document.position(b.start)[0] - 1, grade) for grade, b in worst]
    named = ", ".join(f"line {line} (grade {grade:.0f})" for line, grade in lines)
    message = f"the Manager edition reads at grade {grades.whole:.1f}; the limit is {LIMIT:.0f}"
    fix = f"shorter sentences and plainer words, first in {named}" if named else "shorter sentences and plainer words"
    sentence = read_aloud(subject.document, worst[0][1]) if worst else ""
    yield Finding("reading-grade", "error", message, name, lines[0][0] if lines else None, 1, sentence, fix)


def prose_blocks(document: Document) -> list[Block]:
    """The paragraphs that are read as prose; a figure alone in a paragraph is none."""
    blocks = [b for b in document.blocks if b.kind == "paragraph"]
    return [b for b in blocks if re.search(r"[a-z]{2}", read_aloud(document, b).replace("the figure", ""))]


def read_aloud(document: Document, block: Block) -> str:
    """A paragraph as somebody would read it: claims by their words, values and sources by a stand-in."""
    pieces = []
    for span in document.spans_of(block):
        if not span.leaf:
            continue
        if span.kind == "role" and span.data["name"] == "claim":
            words = str(span.data["content"]).partition("|")[2]
            pieces.append(re.sub(r"\{(\w+)\}`+[^`]*`+", lambda m: STANDS_FOR.get(m[1], ""), words))
        elif span.kind == "role":
            pieces.append(STANDS_FOR.get(span.data["name"], ""))
        elif span.kind in ("text", "break"):
            pieces.append(span.text if span.kind == "text" else " ")
        elif "char" in span.data:
            pieces.append(str(span.data["char"]))
    text = " ".join("".join(pieces).split())
    return text if re.search(r"[.!?…:]\W*$", text) or not text else f"{text}."


def grades_of(project: Project, paragraphs: list[str]) -> Grades:
    """The grades of a text, from the cache where it was measured before. Raises NotMeasured."""
    kept = project.scratch / "reading" / f"{sha256(json.dumps(paragraphs))[:32]}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        loaded = json.loads(kept.read_text(encoding="utf-8"))
        return Grades(float(loaded["whole"]), tuple(loaded["paragraphs"]))
    measured = measure(paragraphs)
    with suppress(OSError):  # a cache that cannot be written costs time only
        kept.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(kept, json.dumps({"whole": measured.whole, "paragraphs": measured.paragraphs}))
    return measured


def measure(paragraphs: list[str]) -> Grades:
    """The grades by textstat. Raises NotMeasured."""
    try:
        version = tuple(int(part) for part in re.findall(r"\d+", metadata.version("textstat"))[:3])
    except metadata.PackageNotFoundError:
        raise NotMeasured("textstat is not installed") from None
    if not (0, 7, 6) <= version < (0, 7, 9):
        raise NotMeasured(f"textstat {'.'.join(map(str, version))} is not one of {VERSIONS}")
    from textstat import textstat

    def grade(text: str) -> float:
        return round(float(textstat.flesch_kincaid_grade(text)), 2)

    each = tuple(grade(text) if len(text.split()) >= SHORT else None for text in paragraphs)
    return Grades(grade(" ".join(paragraphs)) if paragraphs else 0.0, each)
