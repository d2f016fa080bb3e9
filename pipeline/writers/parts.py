"""A draft in parts: sections of labelled paragraphs, read from a model's answer and put together by the program.

The program owns the frame: order and ids of the sections, their headings, and the section on what the runs do not
show, which is quoted from the studies. From an answer only the paragraphs are taken; front matter, a fence around the
whole and headings above the third level go or are lowered. Each paragraph has a label (`throws.2`), by which findings
are told and replacements are taken, so nothing else can be touched.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from experiments.kit.record import Edition
from pipeline.evidence import Evidence
from pipeline.markdown import parse
from pipeline.merge import FENCE, paragraphs
from pipeline.prompt import one_line
from pipeline.writers.offline import LIMITS, LIMITS_HEADING, OPENING, limits_text

DATA_LINE = re.compile(r".*\bDATA-[0-9a-f]{16}\b", re.IGNORECASE)
MARK = re.compile(r"^[\s*]*={3,}\s*\[?([A-Za-z0-9][\w.-]*)\]?\s*=*[\s*]*$")
HEADING = re.compile(r"^#{1,3}\s.*\{#([\w-]+)\}\s*$")


@dataclass(frozen=True)
class Paragraph:
    """A paragraph with its label. `ours` is the program's own, which no repair touches."""

    label: str
    text: str
    ours: bool = False


@dataclass(frozen=True)
class Body:
    """A draft's body: (id, heading, paragraphs) of each section in order. The opening has no heading."""

    sections: tuple[tuple[str, str, tuple[Paragraph, ...]], ...]

    @property
    def text(self) -> str:
        """The Markdown source."""
        return "\n\n".join(text for _, text in self._pieces()) + "\n"

    def _pieces(self) -> Iterable[tuple[Paragraph | None, str]]:
        for name, heading, inside in self.sections:
            if name != OPENING:
                yield None, f"## {heading} {{#{name}}}"
            yield from ((paragraph, paragraph.text) for paragraph in inside if paragraph.text.strip())

    @property
    def paragraphs(self) -> tuple[Paragraph, ...]:
        """All paragraphs in order."""
        return tuple(paragraph for _, _, inside in self.sections for paragraph in inside)

    def at(self, line: int) -> Paragraph | None:
        """The paragraph at a line of the text (counted from 1); None for a heading or an empty line."""
        begin = 1
        for paragraph, text in self._pieces():
            end = begin + text.count("\n")
            if begin <= line <= end:
                return paragraph
            begin = end + 2
        return None

    def line_of(self, paragraph: Paragraph) -> int | None:
        """The first line of a paragraph (counted from 1); None for one that is empty or from elsewhere."""
        begin = 1
        for each, text in self._pieces():
            if each is paragraph:
                return begin
            begin += text.count("\n") + 2
        return None

    def replaced(self, new: Mapping[str, Paragraph]) -> Body:
        """The body with the paragraphs of these labels replaced."""
        return Body(
            tuple(
                (name, heading, tuple(new.get(p.label, p) for p in inside)) for name, heading, inside in self.sections
            )
        )


def assemble(evidence: Evidence, edition: Edition, texts: Mapping[str, tuple[Paragraph, ...]]) -> Body:
    """All sections in order, the limits before the last one."""
    sections = [(m.section.id, one_line(m.heading(edition)), texts.get(m.section.id, ())) for m in evidence.materials]
    limits = limits_text(evidence, edition)
    if limits:
        place = len(sections) - 1 if len(sections) > 2 else len(sections)
        sections.insert(place, (LIMITS, LIMITS_HEADING[edition], (Paragraph(f"{LIMITS}.1", limits, ours=True),)))
    return Body(tuple(sections))


def labelled(section: str, text: str) -> tuple[Paragraph, ...]:
    """A section's text as labelled paragraphs."""
    pieces = [piece for piece in paragraphs(cleaned(text)) if piece.strip()]
    return tuple(Paragraph(f"{section}.{number}", piece) for number, piece in enumerate(pieces, 1))


def split_answer(text: str, names: Collection[str], *, bare: bool = False) -> dict[str, str]:
    """The pieces of an answer by name: each begins with a line `=== name`, or with a heading that has the name as id.

    What stands under other names, or before the first, is not taken: "I would rather not" is no paragraph. `bare`: an
    answer that was asked for one piece, and has no mark, is that piece.
    """
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    marked = False
    closing = ""
    for line in without_frame(text).split("\n"):
        fence = FENCE.match(line)
        if closing:
            if line.strip().startswith(closing):
                closing = ""
        elif fence:
            closing = fence[1]
        else:
            mark = MARK.match(line)
            heading = HEADING.match(line)
            if mark or (heading and heading[1] in names):
                name = (mark or heading)[1]  # type: ignore[index]
                marked = True
                current = found.setdefault(name, []) if name in names and name not in found else None
                continue
        if current is not None:
            current.append(line)
    if bare and not marked and len(names) == 1:
        return {next(iter(names)): without_frame(text).strip()}
    return {name: body for name, lines in found.items() if (body := "\n".join(lines).strip())}


def without_frame(text: str) -> str:
    """An answer without front matter at its head, a fence around the whole, or lines copied from around data."""
    text = "\n".join(line for line in text.split("\n") if not DATA_LINE.match(line)).strip()
    fenced = re.fullmatch(r"```(?:markdown|md)?\n(.*)\n```", text, re.DOTALL)
    if fenced:
        text = fenced[1].strip()
    front = re.match(r"---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", text, re.DOTALL)
    return text[front.end() :].strip() if front else text


def cleaned(text: str) -> str:
    """Paragraphs of a section: first- and second-level headings become third-level ones, and none names an id."""
    text = without_frame(text)
    for block in reversed([b for b in parse(text).blocks if b.kind == "heading" and not b.parents]):
        title = re.sub(r"\s*\{#[^}]*\}\s*$", "", one_line(block.content))
        text = f"{text[: block.start]}{'#' * max(3, block.data['level'])} {title}{text[block.end :]}"
    return text.strip()


def whole_sentences(text: str) -> str:
    """The text up to the end of its last sentence; all of it where no sentence ends."""
    ends = [match.end() for match in re.finditer(r"[.!?…][\"'”’)`]*(?=\s|\Z)", text)]
    return text[: ends[-1]] if ends else text


def code_span(text: str) -> str:
    """Text as a code span that holds it whole, whatever backticks it has."""
    text = one_line(text)
    ticks = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def todo(text: str) -> str:
    """A gap left open, as a role."""
    return f"{{todo}}{code_span(text)}"


def with_text(paragraph: Paragraph, text: str) -> Paragraph:
    """The paragraph with other words."""
    return replace(paragraph, text=cleaned(text))
